/**
 * Runs one prompt by `claude -p`: one process, one answer, no session.
 *
 * A failure is a result, with a message that says what to do. When a run ends in any way, its process and all
 * descendants have ended. The answer's length and the wait for it are bounded.
 */
import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import type { Schema } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import type { PermissionPolicy } from "../domain/Permissions.ts"
import type { RunSpec } from "../domain/Settings.ts"
import { isDeeperThan, maxDepth } from "../domain/storable.ts"
import { AgentFailed } from "./Agent.ts"
import { resultIn } from "./ClaudeResult.ts"
import type { ClaudeResult } from "./ClaudeResult.ts"
import * as Deadline from "./deadline.ts"
import * as Environment from "./environment.ts"
import { errorLine } from "./errorLine.ts"
import * as Executable from "./executable.ts"
import { launchDirectory } from "./launchDirectory.ts"
import * as Lines from "./Lines.ts"
import { missingProgram } from "./missingProgram.ts"
import * as Needs from "./needs.ts"
import { Processes } from "./Processes.ts"
import type { Child, Exit } from "./Processes.ts"
import { runArguments } from "./runPermissions.ts"
import { redact } from "./redact.ts"

export interface RunRequest {
  readonly prompt: string
  readonly model: string | null
  /** Appended to Claude Code's own system prompt, as for sessions, so that its tools keep their descriptions. */
  readonly system: string | null
  readonly timeoutMillis: number
  readonly cwd: string
  /** `null`: what the operator's own settings of claude allow. */
  readonly permissions: PermissionPolicy | null
  /** Directories that it may read under every word. */
  readonly readable: ReadonlyArray<string>
  /** The lease of its processes, swept before the run returns. */
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
    /** A failure is a result. The process and all descendants have ended when this returns. */
    readonly run: (request: RunRequest) => Effect.Effect<RunResult>
  }
>()("troupe/agent/OneShot") {
  /** `from` is our own environment, from which the child inherits what `claude` is known to need. */
  static readonly layer = (spec: RunSpec, from: Readonly<Record<string, string | undefined>> = process.env) =>
    Layer.effect(
      OneShot,
      Effect.map(Processes, (processes) => OneShot.of(make(processes, spec, from)))
    )
}

/** The limit of an argument on the command line; Linux takes 128 kB each. A longer prompt goes through stdin. */
const maxArgumentBytes = 96 * 1024

/** Claude writes its transcript after its result. A process that takes longer is ended. */
const exitWithinMillis = 1_000

const make = (
  processes: Processes["Service"],
  spec: RunSpec,
  from: Readonly<Record<string, string | undefined>>
): OneShot["Service"] => {
  const [file, ...configuredArgs] = spec.command ?? ["claude"]
  const env = Environment.forChild(Needs.claude, from, spec)
  const path = Environment.searchPath(from, spec, env)
  const secrets = Environment.secretsOfChild(env, spec)

  /** Runs `talk` with a child. The child and all descendants have ended when this returns; its stderr can still be read. */
  const withChild = <A, E>(
    command: readonly [string, ...ReadonlyArray<string>],
    { cwd, lease, spawned, stdin }: Pick<RunRequest, "cwd" | "lease" | "spawned"> & { readonly stdin: boolean },
    talk: (child: Child) => Effect.Effect<A, E>
  ) => {
    const sweep = Effect.flatMap(processes.sweep(lease), (remaining) =>
      remaining === 0 ? Effect.void : Effect.logError(`${remaining} processes of a one-shot run could not be ended`)
    )
    return processes.spawn({ lease, command, cwd, env, secrets, stdin, spawned }).pipe(
      Effect.flatMap((child) => Effect.map(talk(child), (outcome) => ({ child, outcome }))),
      Effect.ensuring(sweep)
    )
  }

  const answer = Effect.fnUntraced(function* (request: RunRequest) {
    const program = Executable.find(file, path)
    if (program === null) return yield* notFound(file)
    if (request.system !== null && Buffer.byteLength(request.system) > maxArgumentBytes) return yield* tooLong
    const asArgument = !request.prompt.startsWith("-") && Buffer.byteLength(request.prompt) <= maxArgumentBytes
    const args = [
      ...configuredArgs,
      "-p",
      ...(asArgument ? [request.prompt] : []),
      "--output-format",
      "json",
      ...option("--model", request.model ?? spec.model ?? null),
      ...option("--append-system-prompt", request.system),
      ...runArguments(request.permissions, request.readable)
    ]
    const cwd = yield* launchDirectory(processes, [program, ...configuredArgs], request.cwd)
    const { child, outcome } = yield* withChild(
      [program, ...args],
      { ...request, cwd, stdin: !asArgument },
      Effect.fnUntraced(function* (child) {
        // A child that does not read the prompt reports the reason by its exit.
        if (!asArgument) yield* Effect.ignore(Effect.andThen(child.write(request.prompt), child.end))
        const result = yield* Deadline.timeoutOption(resultOf(child), request.timeoutMillis)
        const exit = Option.isSome(result) ? yield* Effect.timeoutOption(child.exit, exitWithinMillis) : Option.none()
        return { exit, result }
      })
    )
    const stderr = yield* child.stderr
    if (Option.isNone(outcome.result))
      return yield* late(file, request.timeoutMillis, stderr, child.malformed.sentence())
    if (outcome.result.value === null) return yield* noResult(file, outcome.exit, stderr, child.malformed.sentence())
    return { ...outcome.result.value, stderr }
  }, Effect.scoped)

  const run = Effect.fn("OneShot.run")(function* (request: RunRequest) {
    const startedAt = yield* Clock.currentTimeMillis
    const result = yield* Effect.result(answer(request))
    const durationMillis = (yield* Clock.currentTimeMillis) - startedAt
    const failed = (error: string, stderr: string, stopReason = "error"): RunResult => ({
      ok: false,
      error: redact(error, secrets),
      stderr,
      durationMillis,
      stopReason
    })
    if (result._tag === "Failure") {
      const { class: failureClass, message, stderr = "" } = result.failure
      return failed(message, stderr, failureClass === "timeout" ? "timeout" : "error")
    }
    const { isError, stderr, stopReason, text } = result.success
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

/** What nests so deep that it could not be written again stays a text. */
const jsonOrText = (text: string): Schema.Json => {
  try {
    const value = JSON.parse(text) as Schema.Json
    return isDeeperThan(value, maxDepth) ? text : value
  } catch {
    return text
  }
}

/** Succeeds as soon as the result's line has come, even if the pipe stays open; `null`: the output ended without one. */
const resultOf = Effect.fnUntraced(function* (child: Child) {
  const lines = Lines.make()
  const allLines: Array<string> = []
  let length = 0
  let result: ClaudeResult | null = null
  const take = (line: string) => {
    allLines.push(line)
    length += line.length
    const found = resultIn(line)
    if (found === null) child.malformed.note(line)
    else result = found
  }
  const tooMuch = () => lines.overflowed() || length > Lines.maxLineBytes
  yield* child.stdout.pipe(
    Stream.takeUntil((chunk) => {
      lines.push(chunk).forEach(take)
      return result !== null || tooMuch()
    }),
    Stream.runDrain
  )
  lines.rest().forEach(take)
  if (result === null && tooMuch()) return yield* endless
  // Pretty-printed JSON: all lines together are the object.
  return result ?? resultIn(allLines.join("\n"))
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
  message: `system may have at most ${maxArgumentBytes} bytes: it is given on claude's command line. Put what is longer into the prompt.`
})

const endless = new AgentFailed({
  class: "protocol",
  message: `claude wrote more than ${Lines.maxLineBytes} bytes and no result, and was ended. Ask for a shorter answer.`
})

const late = (file: string, millis: number, stderr: string, noise: string) =>
  new AgentFailed({
    class: "timeout",
    message: `${file} did not answer within ${millis} ms and was ended.${noise} Give it longer (timeout_s), or ask for less.`,
    stderr
  })

const noResult = (file: string, exit: Option.Option<Exit>, stderr: string, noise: string) => {
  const missing = missingProgram(file, Option.getOrNull(exit), stderr)
  if (missing !== null) return new AgentFailed({ ...missing, stderr })
  const how = Option.match(exit, {
    onNone: () => "closed its output",
    onSome: ({ code, signal }) => (signal === null ? `exited with code ${code}` : `was ended by ${signal}`)
  })
  const why = errorLine(stderr)
  const message = `${file} ${how} and gave no result${why === "" ? ". Run it by hand with -p to see why." : `: ${why}`}${noise}`
  return new AgentFailed({ class: "crash", message, stderr })
}
