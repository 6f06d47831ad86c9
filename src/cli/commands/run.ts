/** `troupe run`: one prompt, one process, one answer. No session, no server, no data dir. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { runBody } from "../../http/runBody.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { isTimeout, maxTimeoutMillis } from "../../domain/Turn.ts"
import type { RunResult } from "../../services/OneShotRuns.ts"
import { runOnce } from "../../services/runOnce.ts"
import { AlreadyReported, CommandFailed } from "../failures.ts"
import * as Logging from "../logging.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { print, printJson } from "../terminal.ts"

const textFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional, Flag.map(Option.getOrUndefined))

export const runCommand = Command.make(
  "run",
  {
    prompt: Argument.String("prompt").pipe(
      Argument.withDescription("What to ask"),
      Argument.filter(
        (prompt) => prompt.trim() !== "",
        () => "a prompt that says what to ask, or - for that on stdin"
      )
    ),
    model: textFlag("model", "Which model; else the configured one, else claude's own default"),
    system: textFlag("system", "A system prompt"),
    timeoutS: Flag.Finite("timeout").pipe(
      Flag.withDescription("Deadline in seconds; else the configured turn timeout"),
      Flag.filter(
        (seconds) => isTimeout(seconds * 1000),
        () => `more than 0 seconds and at most ${maxTimeoutMillis / 1000}`
      ),
      Flag.optional
    ),
    permissions: Flag.Literals("permissions", PermissionPolicy.literals).pipe(
      Flag.withDescription(
        "What it may do: deny, approve_reads or approve_all; else what your own settings of claude allow"
      ),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    json: jsonFlag,
    config: dataDirFlags.config
  },
  Effect.fn(function* ({ config, json, model, permissions, prompt, system, timeoutS }) {
    const { settings } = yield* configuration({ config })
    const timeoutMillis = Option.match(timeoutS, {
      onNone: () => settings.limits.turnTimeoutMillis,
      onSome: (seconds) => seconds * 1000
    })
    const result = yield* runOnce(settings.run, { prompt, model, system, permissions, timeoutMillis }).pipe(
      Effect.catchTag("NotSupported", ({ _tag, problem }) => new CommandFailed({ code: _tag, problem })),
      Effect.provide(Logging.quiet)
    )
    yield* printResult(result, json)
  })
).pipe(
  Command.withDescription("Ask once through `claude -p`, and print the answer"),
  Command.withExamples([{ command: 'troupe run "What does this repository do?" --json' }])
)

const printResult = Effect.fnUntraced(function* (result: RunResult, json: boolean) {
  if (json) {
    yield* printJson(runBody(result))
    if (!result.ok) return yield* new AlreadyReported({})
    return
  }
  if (!result.ok) {
    const stderr = result.stderr.trim()
    return yield* new CommandFailed({ code: result.stopReason, problem: `${result.error}${stderr && ` (${stderr})`}` })
  }
  yield* print(typeof result.result === "string" ? result.result : JSON.stringify(result.result, null, 2))
})
