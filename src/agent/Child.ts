/**
 * Spawns one child process: bytes in, bytes out, its exit, and the redacted tail of its stderr.
 *
 * Effect's spawner does the work, and this adds what it lacks: its exit names the signal in an error text only, its
 * stdout ends when the last holder of the pipe is gone (a grandchild can hold it for days), and its stdin is a sink for
 * one stream, which can't be written to repeatedly.
 */
import { Cause, Clock, Deferred, Effect, Exit as EffectExit, Fiber, Queue, Scope, Stream } from "effect"
import { ChildProcess } from "effect/process"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { ChildProcessSpawner } from "effect/process"
import type { PlatformError } from "effect/PlatformError"
import type { LeaseId } from "../domain/Ids.ts"
import { AgentFailed } from "./Agent.ts"
import { leaseVariable } from "./processTable.ts"
import * as MalformedLines from "./MalformedLines.ts"
import { escapeSequences } from "./messagesIn.ts"
import { redact, secretsIn } from "./redact.ts"
import * as SpawnFailure from "./spawnFailure.ts"

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

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Child {
  readonly pid: number
  /** For one reader. Fails also with what the pipe failed of before it was read. */
  readonly stdout: Stream.Stream<Uint8Array, AgentFailed>
  /** Writes in order, and waits for the pipe. Fails when the child has exited or closed its stdin. */
  readonly write: (bytes: Uint8Array | string) => Effect.Effect<void, AgentFailed>
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

/** The time between SIGTERM and SIGKILL when a scope closes while its child runs. */
const forceKillAfterMillis = 2_000

/** How many writes are queued before a writer waits. As many can be in the write that is under way. */
const maxQueuedWrites = 32

/** After the exit, this much silence on stdout or stderr means that only another process holds the pipe open. */
const lingerMillis = 250

const stderrTailBytes = 8 * 1024

/** Waits for the kernel, in real time: a test's clock does not apply. */
export const kernelSleep = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

export const spawn = Effect.fnUntraced(function* (
  spawner: ChildProcessSpawner.ChildProcessSpawner["Service"],
  spec: SpawnSpec
) {
  const [file, ...args] = spec.command
  yield* SpawnFailure.checkArguments(spec)
  const handle = yield* spawner
    .spawn(
      ChildProcess.make(file, args, {
        cwd: spec.cwd,
        env: { ...spec.env, [leaseVariable]: spec.lease },
        extendEnv: false,
        detached: true,
        stdin: spec.stdin ? "pipe" : "ignore",
        killSignal: "SIGTERM",
        forceKillAfter: forceKillAfterMillis
      })
    )
    .pipe(
      Effect.mapError((error) => SpawnFailure.notStarted(spec, error)),
      // Node throws what the kernel refuses at once, such as E2BIG.
      Effect.catchDefect((defect) => Effect.fail(SpawnFailure.refusedByKernel(spec, defect)))
    )

  // Listened to before anything else is done: a pipe that fails while nobody listens would end Troupe.
  const exited = yield* Deferred.make<Exit>()
  const stdout = yield* listenedTo(handle.stdout, exited)
  const stderrOutput = yield* listenedTo(handle.stderr, exited)

  // Reads the spawner each time, so that it also works after the scope has closed and ended the fibers below.
  const exit = Effect.match(handle.exitCode, {
    onSuccess: (code): Exit => ({ code, signal: null }),
    onFailure: (error): Exit => ({ code: null, signal: signalIn(error) })
  }).pipe(
    // Whoever knows of the exit finds all of stderr: see there.
    Effect.tap((ended) => Deferred.succeed(exited, ended))
  )
  yield* Effect.forkScoped(exit, { startImmediately: true })

  const writes = yield* Queue.bounded<Uint8Array | string, Cause.Done>(maxQueuedWrites)
  const closeWrites = Effect.sync(() => {
    Queue.endUnsafe(writes)
    Queue.shutdownUnsafe(writes)
  })
  yield* Stream.fromQueue(writes).pipe(
    // All queued writes become one.
    Stream.mapArray((parts): NonEmptyReadonlyArray<Uint8Array> => [joined(parts)]),
    Stream.run(handle.stdin),
    Effect.ignore,
    // After a broken pipe or the child's exit every waiting writer fails.
    Effect.ensuring(closeWrites),
    Effect.raceFirst(Deferred.await(exited)),
    Effect.forkScoped
  )

  const clock = yield* Clock.Clock
  let lastOutputAt: number | null = null
  const noteOutput = <A>(chunk: A): A => {
    lastOutputAt = clock.currentTimeMillisUnsafe()
    return chunk
  }

  let secrets = secretsIn(spec)
  const redactText = (text: string) => redact(text, secrets)
  let tail = Buffer.alloc(0)
  const draining = yield* stderrOutput.pipe(
    Stream.runForEach((chunk) =>
      Effect.sync(() => {
        // Twice the tail, so that a secret at the tail's edge is still complete when it is redacted.
        tail = Buffer.concat([tail, chunk]).subarray(-2 * stderrTailBytes)
      })
    ),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
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

  return {
    pid: handle.pid,
    stdout: stdout.pipe(
      Stream.mapArray(noteOutput),
      Stream.mapError(
        (error) => new AgentFailed({ class: "crash", message: `The output of ${file} broke off: ${causeOf(error)}` })
      )
    ),
    write: (bytes) => Effect.flatMap(Queue.offer(writes, bytes), (accepted) => (accepted ? Effect.void : failGone)),
    end: Effect.sync(() => Queue.endUnsafe(writes)),
    exit,
    stderr,
    redact: redactText,
    secrets: () => secrets,
    keepSecrets: (more) => void (secrets = [...secrets, ...more]),
    malformed: MalformedLines.make(redactText),
    lastOutputAt: () => lastOutputAt
  } satisfies Child
})

/**
 * The output as a stream that is listened to from now on. Nothing is taken from the pipe before it is read, but what Node
 * has in its buffers, and nothing that the child wrote is lost. Ends with the output, or with the first silence after the
 * exit.
 *
 * When the scope closes, what is left in the pipe is thrown away, up to its end: Node closes no pipe in which something is
 * left to read.
 */
const listenedTo = Effect.fnUntraced(function* <E>(
  output: Stream.Stream<Uint8Array, E>,
  exited: Deferred.Deferred<Exit>
) {
  const scope = yield* Scope.make()
  const pull = yield* Scope.provide(scope)(Stream.toPull(output))
  const empty = Effect.forever(pull).pipe(Effect.ignore, Effect.ensuring(Scope.close(scope, EffectExit.void)))
  yield* Effect.addFinalizer(() => Effect.forkDetach(empty))
  const quiet = Effect.andThen(Deferred.await(exited), Effect.andThen(kernelSleep(lingerMillis), Cause.done()))
  return Stream.fromPull(Effect.succeed(Effect.raceFirst(pull, quiet)))
})

const joined = (parts: ReadonlyArray<Uint8Array | string>): Uint8Array => {
  const bytes = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))
  return bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes)
}

/** What the system said. Effect's own text has the whole command in it, which may be a prompt. */
const causeOf = ({ message, reason }: PlatformError): string =>
  reason.cause instanceof Error ? reason.cause.message : message

/** Effect's spawner has the signal of an exit in its error's text only. */
const signalIn = (error: PlatformError): string | null => {
  const cause = error.reason.cause
  return (cause instanceof Error ? /'(SIG[A-Z0-9]+)'/.exec(cause.message)?.[1] : null) ?? null
}
