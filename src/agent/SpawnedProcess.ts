/**
 * A process that Node has spawned as the leader of a group of its own: its pipes, its exit, and its end with its scope.
 *
 * By Node itself and not by Effect's spawner, which has a child's pipes as streams only: what an agent says and is told is
 * read and written in Node's own callbacks (decision 0045).
 */
import { Deferred, Effect, Scope } from "effect"
import { spawn as spawnByNode } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { access } from "node:fs"
import { resolve } from "node:path"
import type { Readable, Writable } from "node:stream"

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Program {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: boolean
}

/** The time between SIGTERM and SIGKILL when a scope closes while its process runs. */
const forceKillAfterMillis = 2_000
/** How long the group of a killed process is waited for. */
const groupGraceMillis = 1_000
const lookEveryMillis = 10

/** Whether there is such a directory: Node's own error would name the program. */
export const isThere = (directory: string): Effect.Effect<boolean> =>
  Effect.callback((done) => access(directory, (error) => done(Effect.succeed(error === null))))

export class SpawnedProcess {
  readonly child: ChildProcess
  readonly exited = Deferred.makeUnsafe<Exit>()
  /** Called with its exit. To be set at once: a later exit calls it. */
  onExit: (() => void) | null = null

  constructor(child: ChildProcess) {
    this.child = child
    // For as long as it lives, and where it never does: an error that nobody listens for would end Troupe.
    child.on("error", nothing)
    child.on("exit", (code, signal) => {
      // What it has started has no use for anybody any more.
      if (code !== null && code !== 0) signalGroup(child, "SIGTERM")
      Deferred.doneUnsafe(this.exited, Effect.succeed({ code, signal }))
      this.onExit?.()
    })
  }

  get pid(): number {
    return this.child.pid!
  }
  /** `null`: it has `/dev/null`. */
  get stdin(): Writable | null {
    return this.child.stdin
  }
  get stdout(): Readable {
    return this.child.stdout!
  }
  get stderr(): Readable {
    return this.child.stderr!
  }
}

/**
 * Fails with Node's error where the program could not be started, and dies with it where Node throws it.
 *
 * Its end is a finalizer of the scope itself, and not of `Effect.acquireRelease`: that keeps the context of this call, which
 * its end needs nothing of, for as long as the process runs.
 */
export const spawn = (program: Program): Effect.Effect<SpawnedProcess, NodeJS.ErrnoException, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const spawned = yield* started(program)
    yield* Scope.addFinalizer(scope, end(spawned))
    return spawned
  }).pipe(Effect.uninterruptible)

const launch = ({ args, cwd, env, file, stdin }: Program): ChildProcess =>
  spawnByNode(file, args, {
    cwd: resolve(cwd),
    env,
    detached: true,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"]
  })

const started = (program: Program): Effect.Effect<SpawnedProcess, NodeJS.ErrnoException> =>
  Effect.callback((done) => {
    const child = launch(program)
    const spawned = new SpawnedProcess(child)
    const failed = (error: NodeJS.ErrnoException) => done(Effect.fail(error))
    child.once("error", failed)
    child.once("spawn", () => {
      child.off("error", failed)
      done(Effect.succeed(spawned))
    })
  })

const nothing = () => {}

/** Ends its group, and waits for its exit. */
const end = Effect.fnUntraced(function* ({ child, exited }: SpawnedProcess) {
  if (!signalGroup(child, "SIGTERM")) return
  yield* gone(child, forceKillAfterMillis)
  if (isAlive(child)) {
    signalGroup(child, "SIGKILL")
    yield* gone(child, groupGraceMillis)
  }
  yield* Deferred.await(exited)
})

const hasExited = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** `false`: there is nothing left to signal. */
const signalGroup = (child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): boolean => {
  try {
    process.kill(-child.pid!, signal)
    return true
  } catch (error) {
    // Only zombies are left in the group.
    if (hasExited(child) && isNotPermitted(error)) return true
    return !hasExited(child) && child.kill(signal)
  }
}

/** It, or another process of its group. */
const isAlive = (child: ChildProcess): boolean => {
  if (!hasExited(child)) return true
  try {
    process.kill(-child.pid!, 0)
    return true
  } catch (error) {
    return isNotPermitted(error)
  }
}

const isNotPermitted = (error: unknown) => (error as NodeJS.ErrnoException).code === "EPERM"

/** Waits for the kernel, in real time: a test's clock does not apply. */
const gone = (child: ChildProcess, withinMillis: number) =>
  Effect.callback<void>((done) => {
    const deadline = performance.now() + withinMillis
    let timer: NodeJS.Timeout | undefined
    const stop = () => {
      clearTimeout(timer)
      child.off("exit", look)
    }
    const look = () => {
      clearTimeout(timer)
      if (isAlive(child) && performance.now() < deadline) return void (timer = setTimeout(look, lookEveryMillis))
      stop()
      done(Effect.void)
    }
    child.on("exit", look)
    look()
    return Effect.sync(stop)
  })
