/** What a turn came to, read off its stored events: its messages, its last agent message, and what its text says of it. */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { TurnRecord, TurnResult } from "../domain/Turn.ts"
import { project } from "./Projection.ts"

/**
 * `finalText` is the last complete agent message; of a turn that was cut off before there was one, it is what had
 * arrived. `turn.toolIterations` counts the tool calls that have ended, late ones too.
 */
export const resultOf = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): TurnResult => {
  const { aborted, cutOff, finalText, messages, toolIterations } = project(turn, stored)
  const known: TurnRecord = { ...turn, toolIterations }
  return {
    turn: aborted && turn.status === "completed" ? { ...known, ...interrupted } : known,
    finalText: finalText === "" ? cutOff : finalText,
    events: stored.filter(isAgentMessage),
    messages
  }
}

/** An agent that says in its text that the turn was aborted has not completed it. */
const interrupted = { status: "interrupted", stopReason: "cancelled", interrupted: true } as const
