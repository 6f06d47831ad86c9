/**
 * A process that Node has spawned as the leader of a group of its own: its pipes, its exit, and its end with its scope.
 *
 * By Node itself and not by Effect's spawner, which has a child's pipes as streams only: what an agent says and is told is
 * read and written in Node's own callbacks (decision 0045).
 */
import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import { spawn as spawnByNode } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { access } from "node:fs"
import { resolve } from "node:path"
import type { Readable, Writable } from "node:stream"

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface SpawnedProcess {
  readonly pid: number
  /** `null`: it has `/dev/null`. */
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
  readonly exited: Deferred.Deferred<Exit>
  /** To be called at once: a later exit calls it. */
  readonly onExit: (then: () => void) => void
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

/** Fails with Node's error where the program could not be started, and dies with it where Node throws it. */
export const spawn = (program: Program): Effect.Effect<SpawnedProcess, NodeJS.ErrnoException, Scope.Scope> =>
  Effect.map(Effect.acquireRelease(started(program), end), ({ child, exited }) => ({
    pid: child.pid!,
    stdin: child.stdin,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited,
    onExit: (then) => void child.once("exit", then)
  }))

interface Started {
  readonly child: ChildProcess
  readonly exited: Deferred.Deferred<Exit>
}

const started = ({ args, cwd, env, file, stdin }: Program): Effect.Effect<Started, NodeJS.ErrnoException> =>
  Effect.callback((done) => {
    const exited = Deferred.makeUnsafe<Exit>()
    const child = spawnByNode(file, args, {
      cwd: resolve(cwd),
      env,
      detached: true,
      stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"]
    })
    // Also after the start: an error that nobody listens for would end Troupe.
    child.on("error", (error) => done(Effect.fail(error)))
    child.on("spawn", () => done(Effect.succeed({ child, exited })))
    child.on("exit", (code, signal) => {
      // What it has started has no use for anybody any more.
      if (code !== null && code !== 0) signalGroup(child, "SIGTERM")
      Deferred.doneUnsafe(exited, Effect.succeed({ code, signal }))
    })
    return Effect.sync(() => void child.kill("SIGTERM"))
  })

/** Ends its group, and waits for its exit. */
const end = Effect.fnUntraced(function* ({ child, exited }: Started) {
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
