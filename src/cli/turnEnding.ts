/**
 * The end of a turn that a command ran: its final text, or its body as the API has it, alone on stdout, and the exit code.
 *
 * 0: the agent has answered. 1: the turn failed. 3: it was interrupted. 124: its deadline was over, as `timeout` has it.
 */
import { Effect } from "effect"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"
import { AlreadyReported, CommandFailed } from "./failures.ts"
import { harmless, note, print, printJson } from "./terminal.ts"

type Ending = Pick<
  TurnOutcome,
  "ok" | "interrupted" | "completed" | "error" | "errorClass" | "finalText" | "stopReason"
>

export const exitCodeOf = ({ completed, errorClass, ok }: Ending): number => {
  if (!ok) return errorClass === "timeout" ? 124 : 1
  return completed ? 0 : 3
}

/** `body`: as the API has it. `isPrinted`: the text was printed as it came. */
export const endTurn = Effect.fnUntraced(function* (
  ending: Ending,
  body: unknown,
  { isPrinted = false, json }: { readonly isPrinted?: boolean; readonly json: boolean }
) {
  const exitCode = exitCodeOf(ending)
  if (json) yield* printJson(body)
  else if (!isPrinted && ending.finalText !== "") yield* print(onScreen(ending.finalText))
  if (exitCode === 0) {
    if (!json && ending.stopReason !== "end_turn") yield* note(`The agent stopped: ${String(ending.stopReason)}.`)
    return
  }
  if (json) return yield* new AlreadyReported({ exitCode })
  const code = ending.errorClass ?? "interrupted"
  return yield* new CommandFailed({ code, problem: ending.error ?? "The turn was interrupted.", exitCode })
})

/** Bytes for a program are the agent's own; a terminal gets none that moves its cursor. */
const onScreen = (text: string) => (process.stdout.isTTY === true ? harmless(text) : text)
