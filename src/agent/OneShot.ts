/**
 * `claude -p`: one prompt, one process, one answer, no session.
 *
 * A failure is a result, and what it says is what to do. The process and all that it started are gone when a run ends,
 * however it ends; an answer is bounded, and so is the wait for it.
 */
import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import type { Schema } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import type { RunSpec } from "../domain/Settings.ts"
import { AgentFailed } from "./Agent.ts"
import { resultIn } from "./ClaudeResult.ts"
import type { ClaudeResult } from "./ClaudeResult.ts"
import * as Environment from "./environment.ts"
import * as Executable from "./executable.ts"
import * as Lines from "./Lines.ts"
import { Processes } from "./Processes.ts"
import type { Child, Exit } from "./Processes.ts"
import { redact, secretsOf } from "./redact.ts"

export interface RunRequest {
  readonly prompt: string
  readonly model: string | null
  /** Appended to Claude Code's own system prompt, as a session's is: its tools go on working as they are described. */
  readonly system: string | null
  readonly timeoutMillis: number
  readonly cwd: string
  /** What its processes are started under; swept before the answer. */
  readonly lease: LeaseId
  /** Called with its pid before anything is written to it. */
  readonly spawned: (pid: number) => Effect.Effect<void>
}

/** `result` is the model's JSON where its whole reply parses as JSON, else its text. */
export type RunResult =
  | {
      readonly ok: true
      readonly result: Schema.Json
      readonly durationMillis: number
      readonly stopReason: string
    }
  | {
      readonly ok: false
      readonly error: string
      readonly stderr: string
      readonly durationMillis: number
      /** `timeout` where the deadline ended it, else `error`. */
      readonly stopReason: string
    }

export class OneShot extends Context.Service<
  OneShot,
  {
    /** A failure is a result. The process and all it started are gone when this returns. */
    readonly run: (request: RunRequest) => Effect.Effect<RunResult>
  }
>()("troupe/agent/OneShot") {
  /** `from` is our own environment, of which the child gets what `claude` is known to need. */
  static readonly layer = (spec: RunSpec, from: Readonly<Record<string, string | undefined>> = process.env) =>
    Layer.effect(
      OneShot,
      Effect.map(Processes, (processes) => OneShot.of(make(processes, spec, from)))
    )
}

/** The longest argument given on a command line; Linux takes 128 kB each. A longer prompt goes through stdin. */
const longestArgumentBytes = 96 * 1024

/** Claude writes its transcript after its result. What is not gone by then is ended. */
const exitWithinMillis = 1_000

const make = (
  processes: Processes["Service"],
  spec: RunSpec,
  from: Readonly<Record<string, string | undefined>>
): OneShot["Service"] => {
  const [file, ...before] = spec.command ?? ["claude"]
  const env = Environment.forChild(Environment.claude, from, spec)
  const secrets = secretsOf(env)

  /** Gone, with all that it started, when this succeeds, fails or is interrupted. Its stderr can still be asked for. */
  const use = <A, E>(
    command: readonly [string, ...ReadonlyArray<string>],
    { cwd, lease, spawned, stdin }: Pick<RunRequest, "cwd" | "lease" | "spawned"> & { readonly stdin: boolean },
    talk: (child: Child) => Effect.Effect<A, E>
  ) => {
    return Effect.acquireUseRelease(
      processes.spawn({ lease, command, cwd, env, stdin, spawned }),
      (child) => Effect.map(talk(child), (said) => ({ child, said })),
      () =>
        Effect.flatMap(processes.sweep(lease), (left) =>
          left === 0 ? Effect.void : Effect.logError(`${left} processes of a one-shot run could not be ended`)
        )
    )
  }

  const answer = Effect.fnUntraced(function* (request: RunRequest) {
    const program = Executable.find(file, env["PATH"])
    if (program === null) return yield* notFound(file)
    if (request.system !== null && Buffer.byteLength(request.system) > longestArgumentBytes) return yield* tooLong
    const asArgument = !request.prompt.startsWith("-") && Buffer.byteLength(request.prompt) <= longestArgumentBytes
    const args = [
      ...before,
      "-p",
      ...(asArgument ? [request.prompt] : []),
      "--output-format",
      "json",
      ...option("--model", request.model ?? spec.model ?? null),
      ...option("--append-system-prompt", request.system)
    ]
    const { child, said } = yield* use(
      [program, ...args],
      { ...request, stdin: !asArgument },
      Effect.fnUntraced(function* (child) {
        // A child that takes no prompt says why by its exit.
        if (!asArgument) yield* Effect.ignore(Effect.andThen(child.write(request.prompt), child.end))
        const result = yield* Effect.timeoutOption(resultOf(child), request.timeoutMillis)
        const exit = Option.isSome(result) ? yield* Effect.timeoutOption(child.exit, exitWithinMillis) : Option.none()
        return { exit, result }
      })
    )
    const stderr = yield* child.stderr
    if (Option.isNone(said.result)) return yield* late(file, request.timeoutMillis, stderr)
    if (said.result.value === null) return yield* noResult(file, said.exit, stderr)
    return { ...said.result.value, stderr }
  }, Effect.scoped)

  const run = Effect.fn("OneShot.run")(function* (request: RunRequest) {
    const startedAt = yield* Clock.currentTimeMillis
    const answered = yield* Effect.result(answer(request))
    const durationMillis = (yield* Clock.currentTimeMillis) - startedAt
    const failed = (error: string, stderr: string, stopReason = "error"): RunResult => ({
      ok: false,
      error: redact(error, secrets),
      stderr,
      durationMillis,
      stopReason
    })
    if (answered._tag === "Failure") {
      const { class: why, message, stderr = "" } = answered.failure
      return failed(message, stderr, why === "timeout" ? "timeout" : "error")
    }
    const { isError, stderr, stopReason, text } = answered.success
    return isError ? failed(text, stderr) : succeeded(jsonOrText(text), durationMillis, stopReason)
  })

  return { run }
}

const succeeded = (result: Schema.Json, durationMillis: number, stopReason: string): RunResult => ({
  ok: true,
  result,
  durationMillis,
  stopReason
})

const option = (name: string, value: string | null): ReadonlyArray<string> => (value === null ? [] : [name, value])

const jsonOrText = (text: string): Schema.Json => {
  try {
    return JSON.parse(text) as Schema.Json
  } catch {
    return text
  }
}

/** The result as soon as its line is there, whoever still holds the pipe; `null` where the output ended without one. */
const resultOf = Effect.fnUntraced(function* (child: Child) {
  const lines = Lines.make()
  const all: Array<string> = []
  let length = 0
  let found: ClaudeResult | null = null
  const take = (line: string) => {
    all.push(line)
    length += line.length
    found = resultIn(line) ?? found
  }
  const tooMuch = () => lines.overflowed() || length > Lines.maxLineBytes
  yield* child.stdout.pipe(
    Stream.takeUntil((chunk) => {
      lines.push(chunk).forEach(take)
      return found !== null || tooMuch()
    }),
    Stream.runDrain
  )
  lines.rest().forEach(take)
  if (found === null && tooMuch()) return yield* endless
  // Pretty-printed: no line of it is the object, all of them are.
  return found ?? resultIn(all.join("\n"))
})

const notFound = (file: string) =>
  new AgentFailed({
    class: "config",
    message:
      file === "claude"
        ? "claude was not found on PATH. Install it (npm install -g @anthropic-ai/claude-code) and log in, or name another program in run.command of troupe.config.json."
        : `${file} was not found. Install it, or name another program in run.command of troupe.config.json.`
  })

const tooLong = new AgentFailed({
  class: "config",
  message: `system may have at most ${longestArgumentBytes} bytes: it is given on claude's command line. Put what is longer into the prompt.`
})

const endless = new AgentFailed({
  class: "protocol",
  message: `claude wrote more than ${Lines.maxLineBytes} bytes and no result, and was ended. Ask for a shorter answer.`
})

const late = (file: string, millis: number, stderr: string) =>
  new AgentFailed({
    class: "timeout",
    message: `${file} did not answer within ${millis} ms and was ended. Give it longer (timeout_s), or ask for less.`,
    stderr
  })

const noResult = (file: string, exit: Option.Option<Exit>, stderr: string) => {
  const how = Option.match(exit, {
    onNone: () => "closed its output",
    onSome: ({ code, signal }) => (signal === null ? `exited with code ${code}` : `was ended by ${signal}`)
  })
  const why = stderr.trim().split("\n").at(-1) ?? ""
  const message = `${file} ${how} and gave no result${why === "" ? ". Run it by hand with -p to see why." : `: ${why}`}`
  return new AgentFailed({ class: "crash", message, stderr })
}
