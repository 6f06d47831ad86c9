/**
 * One Troupe per directory: a lock that is gone the moment its holder is, however it ended.
 *
 * It is an SQLite file that the holder keeps exclusively locked. The kernel gives that lock back with the process, so
 * there is nothing stale to judge after a SIGKILL or a power cut, and a pid that was given out again fools nobody. Who
 * holds it stands in a file beside it, for people.
 */
import { Clock, Effect } from "effect"
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { LedgerUnusable } from "../LedgerError.ts"

/** Held until the scope is closed. Fails at once where another process, or this one, holds it. */
export const hold = Effect.fn("Lock.hold")(function* (directory: string) {
  const filename = join(directory, "lock")
  const holder = join(directory, "lock.json")
  const since = yield* Clock.currentTimeMillis
  const lock = () => {
    // Made first, so that nobody else can read it.
    closeSync(openSync(filename, "a", 0o600))
    const db = new DatabaseSync(filename)
    try {
      db.exec("BEGIN EXCLUSIVE")
    } catch (cause) {
      db.close()
      throw cause
    }
    writeFileSync(holder, JSON.stringify({ pid: process.pid, since: new Date(since).toISOString() }), { mode: 0o600 })
    return db
  }
  yield* Effect.acquireRelease(Effect.try({ try: lock, catch: (cause) => refused(directory, holder, cause) }), (db) =>
    Effect.sync(() => {
      // Before the lock is given back: afterwards it may be another's.
      rmSync(holder, { force: true })
      db.close()
    })
  )
})

/** SQLite's own code for a file that somebody else has locked. */
const busy = 5

const refused = (directory: string, holder: string, cause: unknown): LedgerUnusable =>
  cause instanceof Error && "errcode" in cause && cause.errcode === busy
    ? new LedgerUnusable({
        location: directory,
        problem: `is held by ${holderOf(holder)}`,
        remedy: "One Troupe works on a data dir at a time: stop that one, or give this one another with --data-dir."
      })
    : new LedgerUnusable({
        location: directory,
        problem: `could not be locked (${cause instanceof Error ? cause.message : String(cause)})`,
        remedy: "Check that the data dir is writable for this user and on a file system that knows locks.",
        cause
      })

const holderOf = (file: string): string => {
  try {
    const { pid, since }: { readonly pid?: unknown; readonly since?: unknown } = JSON.parse(readFileSync(file, "utf8"))
    return `the Troupe with pid ${String(pid)}, since ${String(since)}`
  } catch {
    // It has the lock and is about to write the file, or a disk is full: held is held.
    return "another Troupe"
  }
}
