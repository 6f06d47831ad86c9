/** Spawns one child process: bytes in, bytes out, its exit, and the redacted tail of its stderr. */
import { Clock, Deferred, Effect, Scope, Stream } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import { AgentFailed } from "./Agent.ts"
import { Input } from "./Input.ts"
import { MalformedLines } from "./MalformedLines.ts"
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
  const spawned = yield* SpawnedProcess.spawn({ ...spec, file, args, env }).pipe(
    Effect.mapError((error) => SpawnFailure.notStarted(spec, error)),
    // Node throws what the kernel refuses at once, such as E2BIG.
    Effect.catchDefect((defect) => Effect.fail(SpawnFailure.refusedByKernel(spec, defect)))
  )
  // Before anything else is done: a pipe that fails while nobody listens would end Troupe.
  const child = new Child(spawned, file, secretsIn(spec), yield* Clock.Clock)
  // Of the scope itself: `Effect.addFinalizer` would keep the context of this call for as long as the child runs.
  yield* Scope.addFinalizer(yield* Effect.scope, child.discardOutput)
  return child
})

const noBytes = Buffer.alloc(0)

export class Child {
  /** The lines of its stdout that were no message, as its reader notes them. */
  readonly malformed = new MalformedLines(this)
  readonly #file: string
  readonly #clock: Clock.Clock
  readonly #spawned: SpawnedProcess.SpawnedProcess
  readonly #stdin: Input
  readonly #stdout: Output
  readonly #stderr: Output
  #secrets: ReadonlyArray<string>
  #stderrTail: Buffer = noBytes
  #lastOutputAt: number | null = null

  constructor(
    spawned: SpawnedProcess.SpawnedProcess,
    file: string,
    secrets: ReadonlyArray<string>,
    clock: Clock.Clock
  ) {
    this.#file = file
    this.#clock = clock
    this.#spawned = spawned
    this.#secrets = secrets
    this.#stdout = new Output(spawned.stdout)
    this.#stderr = new Output(spawned.stderr)
    this.#stdin = new Input(spawned.stdin)
    spawned.onExit = () => {
      this.#stdin.close()
      this.#stdout.childExited()
      this.#stderr.childExited()
    }
    this.#stderr.drain((chunk) => {
      // Twice the tail, so that a secret at the tail's edge is still complete when it is redacted.
      this.#stderrTail = Buffer.concat([this.#stderrTail, chunk]).subarray(-2 * stderrTailBytes)
    })
  }

  get pid(): number {
    return this.#spawned.pid
  }

  /** For one reader, as is `eachChunk`. Fails also with what the pipe failed of before it was read. */
  get stdout(): Stream.Stream<Uint8Array, AgentFailed> {
    const next = Effect.mapBoth(this.#stdout.next, {
      onSuccess: (chunk) => {
        this.#lastOutputAt = this.#clock.currentTimeMillisUnsafe()
        return [chunk] as const
      },
      onFailure: (failure) => (failure instanceof PipeFailed ? this.#brokeOff(failure) : failure)
    })
    return Stream.fromPull(Effect.succeed(next))
  }

  /**
   * Gives each chunk of stdout to `take`, in Node's own callback where its effect is done already, and takes the next one
   * when it is.
   */
  eachChunk<E>(take: (chunk: Uint8Array) => Effect.Effect<void, E>): Effect.Effect<void, E | AgentFailed> {
    const each = this.#stdout.each((chunk) => {
      this.#lastOutputAt = this.#clock.currentTimeMillisUnsafe()
      return take(chunk)
    })
    return Effect.mapError(each, (failure) => (failure instanceof PipeFailed ? this.#brokeOff(failure) : failure))
  }

  /** Writes in order, and waits for the pipe. Fails when the child has exited or closed its stdin. */
  write(bytes: Uint8Array | string): Effect.Effect<void, AgentFailed> {
    return Effect.flatMap(this.#stdin.write(bytes), (isTaken) => (isTaken ? Effect.void : this.#failGone()))
  }

  /** Writes at once; `false`: nothing is written, `write` would wait or fail. */
  writeNow(bytes: Uint8Array | string): boolean {
    return this.#stdin.offer(bytes)
  }

  /** Closes stdin. */
  get end(): Effect.Effect<void> {
    return Effect.sync(() => this.#stdin.end())
  }

  get exit(): Effect.Effect<Exit> {
    return Deferred.await(this.#spawned.exited)
  }

  /** The last 8 kB of stderr, redacted. */
  get stderr(): Effect.Effect<string> {
    return Effect.gen({ self: this }, function* () {
      // The last words are often the reason of the exit, and may still be in the pipe.
      if (Deferred.isDoneUnsafe(this.#spawned.exited)) yield* this.#stderr.over
      const text = this.redact(this.#stderrTail.toString("utf8").replaceAll(escapeSequences, ""))
      return Buffer.byteLength(text) > stderrTailBytes ? Buffer.from(text).subarray(-stderrTailBytes).toString() : text
    })
  }

  /** The text without the child's secrets. For everything that comes from it as an error or a line. */
  redact(text: string): string {
    return redact(text, this.#secrets)
  }

  /** The values that must not be shown. */
  secrets(): ReadonlyArray<string> {
    return this.#secrets
  }

  /** These are secrets of the child from now on, too. */
  keepSecrets(more: ReadonlyArray<string>): void {
    this.#secrets = [...this.#secrets, ...more]
  }

  /** When the last byte of its stdout was read, in milliseconds since 1970; `null`: none was. */
  lastOutputAt(): number | null {
    return this.#lastOutputAt
  }

  /** Nobody reads what it writes from now on. */
  get discardOutput(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#stdout.discard()
      this.#stderr.discard()
    })
  }

  #failGone(): Effect.Effect<never, AgentFailed> {
    return Effect.flatMap(this.stderr, (text) =>
      Effect.fail(
        new AgentFailed({
          class: "crash",
          message: `${this.#file} takes no more input: it closed its stdin or is gone. The next turn starts it again.`,
          ...(text === "" ? {} : { stderr: text })
        })
      )
    )
  }

  #brokeOff({ message }: PipeFailed): AgentFailed {
    return new AgentFailed({ class: "crash", message: `The output of ${this.#file} broke off: ${message}` })
  }
}
