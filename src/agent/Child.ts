/** Spawns one child process: bytes in, bytes out, its exit, and the redacted tail of its stderr. */
import { Clock, Deferred, Effect, Fiber, Stream } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import { AgentFailed } from "./Agent.ts"
import { Input } from "./Input.ts"
import * as MalformedLines from "./MalformedLines.ts"
import { escapeSequences } from "./messagesIn.ts"
import { Output, PipeFailed } from "./Output.ts"
import { leaseVariable } from "./processTable.ts"
import { redact, secretsIn } from "./redact.ts"
import * as SpawnedProcess from "./SpawnedProcess.ts"
import type { Exit } from "./SpawnedProcess.ts"
import * as SpawnFailure from "./spawnFailure.ts"

export type { Exit } from "./SpawnedProcess.ts"

export interface SpawnSpec {
  readonly lease: LeaseId
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly cwd: string
  /** The whole environment of the child but for the marker. Nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** The values that must not be shown, as `secretsOf` gives them. Absent: those that `env` shows by itself. */
  readonly secrets?: ReadonlyArray<string> | undefined
  /** `false` gives the child `/dev/null`, for programs that wait for the end of an open pipe. */
  readonly stdin: boolean
  /** Called with the pid before the child is written to. */
  readonly spawned: (pid: number) => Effect.Effect<void>
}

export interface Child {
  readonly pid: number
  /** For one reader, as is `eachChunk`. Fails also with what the pipe failed of before it was read. */
  readonly stdout: Stream.Stream<Uint8Array, AgentFailed>
  /**
   * Gives each chunk of stdout to `take`, in Node's own callback where its effect is done already, and takes the next one
   * when it is.
   */
  readonly eachChunk: <E>(take: (chunk: Uint8Array) => Effect.Effect<void, E>) => Effect.Effect<void, E | AgentFailed>
  /** Writes in order, and waits for the pipe. Fails when the child has exited or closed its stdin. */
  readonly write: (bytes: Uint8Array | string) => Effect.Effect<void, AgentFailed>
  /** Writes at once; `false`: nothing is written, `write` would wait or fail. */
  readonly writeNow: (bytes: Uint8Array | string) => boolean
  /** Closes stdin. */
  readonly end: Effect.Effect<void>
  readonly exit: Effect.Effect<Exit>
  /** The last 8 kB of stderr, redacted. */
  readonly stderr: Effect.Effect<string>
  /** The text without the child's secrets. For everything that comes from it as an error or a line. */
  readonly redact: (text: string) => string
  /** The values that must not be shown. */
  readonly secrets: () => ReadonlyArray<string>
  /** These are secrets of the child from now on, too. */
  readonly keepSecrets: (more: ReadonlyArray<string>) => void
  /** The lines of its stdout that were no message, as its reader notes them. */
  readonly malformed: MalformedLines.MalformedLines
  /** When the last byte of its stdout was read, in milliseconds since 1970; `null`: none was. */
  readonly lastOutputAt: () => number | null
}

const stderrTailBytes = 8 * 1024

/** Waits for the kernel, in real time: a test's clock does not apply. */
export const kernelSleep = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

export const spawn = Effect.fnUntraced(function* (spec: SpawnSpec) {
  const [file, ...args] = spec.command
  yield* SpawnFailure.checkArguments(spec)
  if (!(yield* SpawnedProcess.isThere(spec.cwd))) return yield* SpawnFailure.withoutDirectory(spec)
  const env = { ...spec.env, [leaseVariable]: spec.lease }
  const { exited, onExit, pid, ...pipes } = yield* SpawnedProcess.spawn({ ...spec, file, args, env }).pipe(
    Effect.mapError((error) => SpawnFailure.notStarted(spec, error)),
    // Node throws what the kernel refuses at once, such as E2BIG.
    Effect.catchDefect((defect) => Effect.fail(SpawnFailure.refusedByKernel(spec, defect)))
  )

  // Before anything else is done: a pipe that fails while nobody listens would end Troupe.
  const stdout = new Output(pipes.stdout)
  const stderrOutput = new Output(pipes.stderr)
  const stdin = new Input(pipes.stdin)
  onExit(() => {
    stdin.close()
    stdout.childExited()
    stderrOutput.childExited()
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      stdout.discard()
      stderrOutput.discard()
    })
  )

  const clock = yield* Clock.Clock
  let lastOutputAt: number | null = null

  let secrets = secretsIn(spec)
  const redactText = (text: string) => redact(text, secrets)
  let tail = Buffer.alloc(0)
  const draining = yield* stderrOutput
    .each((chunk) => {
      // Twice the tail, so that a secret at the tail's edge is still complete when it is redacted.
      tail = Buffer.concat([tail, chunk]).subarray(-2 * stderrTailBytes)
      return Effect.void
    })
    .pipe(Effect.ignore, Effect.forkScoped({ startImmediately: true }))
  const stderr = Effect.gen(function* () {
    // The last words are often the reason of the exit, and may still be in the pipe.
    if (Deferred.isDoneUnsafe(exited)) yield* Fiber.await(draining)
    const text = redactText(tail.toString("utf8").replaceAll(escapeSequences, ""))
    return Buffer.byteLength(text) > stderrTailBytes ? Buffer.from(text).subarray(-stderrTailBytes).toString() : text
  })

  const failGone = Effect.gen(function* () {
    const text = yield* stderr
    return yield* new AgentFailed({
      class: "crash",
      message: `${file} takes no more input: it closed its stdin or is gone. The next turn starts it again.`,
      ...(text === "" ? {} : { stderr: text })
    })
  })

  const brokeOff = (error: PipeFailed) =>
    new AgentFailed({ class: "crash", message: `The output of ${file} broke off: ${error.message}` })

  return {
    pid,
    stdout: Stream.fromPull(
      Effect.succeed(
        Effect.mapBoth(stdout.next, {
          onSuccess: (chunk) => {
            lastOutputAt = clock.currentTimeMillisUnsafe()
            return [chunk] as const
          },
          onFailure: (failure) => (failure instanceof PipeFailed ? brokeOff(failure) : failure)
        })
      )
    ),
    eachChunk: (take) =>
      Effect.mapError(
        stdout.each((chunk) => {
          lastOutputAt = clock.currentTimeMillisUnsafe()
          return take(chunk)
        }),
        (failure) => (failure instanceof PipeFailed ? brokeOff(failure) : failure)
      ),
    write: (bytes) => Effect.flatMap(stdin.write(bytes), (isTaken) => (isTaken ? Effect.void : failGone)),
    writeNow: (bytes) => stdin.offer(bytes),
    end: Effect.sync(() => stdin.end()),
    exit: Deferred.await(exited),
    stderr,
    redact: redactText,
    secrets: () => secrets,
    keepSecrets: (more) => void (secrets = [...secrets, ...more]),
    malformed: MalformedLines.make(redactText),
    lastOutputAt: () => lastOutputAt
  } satisfies Child
})
