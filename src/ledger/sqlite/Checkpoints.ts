/**
 * Copies the write-ahead log into the ledger's file on a thread of its own: a checkpoint waits for the disk, and on the connection
 * that writes it would hold up every session meanwhile.
 *
 * The thread has a connection, and does what may be done beside a writer. While that goes on the thread never reaches its end,
 * and only a log that was copied whole begins anew. So the last pass is the writer's, and finds little left.
 */
/* oxlint-disable unicorn/require-post-message-target-origin -- to a thread, which has no origin */
import { Effect } from "effect"
import type { Scope } from "effect"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import type { Connection } from "./Connection.ts"

/** A turn has some eighteen, and writes about as many pages of 2 kB. */
const statementsBetween = 4_000
/**
 * Pages in the log at which a commit copies it itself: where large rows, a reader that does not end, or a thread that does not keep up
 * let it grow to 64 MB.
 */
const mostPages = 32_000
/** SQLite's default is 1,000, which is reached every 25 turns. Measured: with 8,000 the p99 of a write is an eighth. */
const pagesWithoutThread = 8_000
const endsWithinMillis = 5_000

export interface Checkpoints {
  /** To be called after each commit. The thread begins with the first that makes it worth one. */
  readonly committed: (statements: number) => void
}

/** In memory there is no log. */
export const none: Checkpoints = { committed: () => {} }

export const make = (filename: string, writer: Connection): Effect.Effect<Checkpoints, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new CheckpointThread(filename, writer)),
      (thread) => Effect.promise(() => thread.end())
    ),
    (thread) => ({ committed: (statements) => thread.committed(statements) })
  )

class CheckpointThread {
  readonly #filename: string
  readonly #writer: Connection
  #statements = 0
  #worker: Worker | null = null
  #isAtWork = false
  #isOver = false

  constructor(filename: string, writer: Connection) {
    this.#filename = filename
    this.#writer = writer
    this.#copyAt(mostPages)
  }

  committed(statements: number): void {
    this.#statements += statements
    if (this.#statements < statementsBetween || this.#isAtWork || this.#isOver) return
    this.#statements = 0
    try {
      this.#worker ??= this.#begin()
      this.#worker.postMessage("copy")
      this.#isAtWork = true
    } catch {
      // Node's permissions, for one, may allow no threads.
      this.#giveUp()
    }
  }

  /** It closes its connection first: the last one to be closed copies what is left, and removes the log. */
  async end(): Promise<void> {
    this.#isOver = true
    const worker = this.#worker
    if (worker === null) return
    const exited = new Promise((resolve) => worker.once("exit", resolve))
    worker.postMessage("end")
    const late = setTimeout(() => void worker.terminate(), endsWithinMillis)
    await exited
    clearTimeout(late)
  }

  /** Commits copy the log themselves, as they would without a thread. */
  #giveUp(): void {
    this.#isOver = true
    this.#worker = null
    this.#copyAt(pagesWithoutThread)
  }

  #begin(): Worker {
    // As text: it is in whatever bundle this is in, and needs no file beside it.
    const worker = new Worker(`(${thread.toString()})()`, {
      eval: true,
      workerData: existing(this.#filename),
      env: {},
      // Node 22 says it of SQLite, and has said it already.
      execArgv: ["--disable-warning=ExperimentalWarning"]
    })
    worker.unref()
    worker.on("message", () => {
      this.#isAtWork = false
      if (!this.#isOver) this.#copyRest()
    })
    // Its exit comes next.
    worker.on("error", () => {})
    worker.on("exit", () => {
      if (!this.#isOver) this.#giveUp()
    })
    return worker
  }

  /** What it can't do now, for a lock or a full disk, a later one does. */
  #copyRest(): void {
    try {
      this.#writer.run("PRAGMA wal_checkpoint(PASSIVE)", [])
    } catch {}
  }

  #copyAt(pages: number): void {
    this.#writer.run(`PRAGMA wal_autocheckpoint = ${pages}`, [])
  }
}

/** A file that is gone is not made again: commits fail where there is none (`Database.ts`). */
const existing = (filename: string): string => `${pathToFileURL(filename).href}?mode=rw`

/** Runs alone on the thread: it knows nothing of this module. What the second pass copies was written during the first. */
const thread = (): void => {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads")
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
  const db = new DatabaseSync(new URL(workerData as string))
  const copy = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
  parentPort?.on("message", (message: "copy" | "end") => {
    if (message === "end") {
      db.close()
      parentPort.close()
      return
    }
    try {
      copy.all()
      copy.all()
    } catch {
      // It is busy, or the disk is full: the writer learns of that from its own commits.
    }
    parentPort.postMessage("copied")
  })
}
