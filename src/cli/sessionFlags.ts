/** The flags of commands that open a session or take a prompt. */
import { Effect, Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { PermissionPolicy } from "../domain/Permissions.ts"
import { isTimeout, maxTimeoutMillis } from "../domain/Turn.ts"
import { BadUsage } from "./failures.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** What one turn can have of its own. */
export const turnFlags = {
  model: text("model", "Which model; else the agent's own default"),
  mode: text("mode", "Which mode of the agent's, such as plan; else its own"),
  effort: text("effort", "How much the model thinks, such as high; else the agent's own")
}

export const sessionFlags = {
  agent: text("agent", "Which agent; else the default one"),
  ...turnFlags,
  thread: text(
    "thread",
    "A conversation that the agent has already, by the agent's own id, to go on with; troupe sessions threads lists them"
  ),
  permissions: Flag.Literals("permissions", PermissionPolicy.literals).pipe(
    Flag.withDescription("What the agent may do unasked (docs/permissions.md)"),
    Flag.optional
  )
}

/** The values of the flags that were given. */
export const given = (flags: Readonly<Record<string, Option.Option<string>>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value]] : []))
  )

export const timeoutFlag = Flag.Finite("timeout").pipe(
  Flag.withDescription("Deadline in seconds; else the configured turn timeout"),
  Flag.filter(
    (seconds) => isTimeout(seconds * 1000),
    () => `more than 0 seconds and at most ${maxTimeoutMillis / 1000}`
  ),
  Flag.optional
)

export const streamFlag = Flag.Boolean("stream").pipe(
  Flag.withDescription("Print what happens as it comes; with --json a line for each event, and one for the outcome"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

export const promptArgument = Argument.String("prompt").pipe(
  Argument.withDescription("What to ask; - reads it from stdin"),
  Argument.filter(
    (prompt) => prompt.trim() !== "",
    () => "a prompt that says what to ask, or - for that on stdin"
  )
)

/** In characters. A server takes less in one request, unless its operator allows more. */
const longestPrompt = 32 * 1024 * 1024

/** The prompt itself, read from stdin where the argument is `-`. */
export const promptOf = Effect.fnUntraced(function* (argument: string) {
  if (argument !== "-") return argument
  const prompt = yield* Effect.tryPromise({
    try: readStdin,
    catch: (cause) => new BadUsage({ problem: `stdin can't be read: ${String(cause)}.` })
  })
  if (prompt.length > longestPrompt)
    return yield* new BadUsage({ problem: `The prompt on stdin is longer than ${longestPrompt} characters.` })
  if (prompt.trim() === "") return yield* new BadUsage({ problem: "The prompt on stdin is empty: say what to ask." })
  return prompt
})

const readStdin = async (): Promise<string> => {
  let text = ""
  for await (const chunk of process.stdin.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk
    if (text.length > longestPrompt) break
  }
  return text
}
