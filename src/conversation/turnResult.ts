/** What a turn came to, read off its stored events: its messages, its last agent message, and what its text says of it. */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { ContextWindow, TurnRecord, TurnResult } from "../domain/Turn.ts"
import { at, integerIn, objectIn } from "../domain/json.ts"
import { project } from "./Projection.ts"

/**
 * `finalText` is the last complete agent message; of a turn that was cut off before there was one, it is what had
 * arrived. `turn.toolIterations` counts the tool calls that have ended, late ones too.
 */
export const resultOf = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): TurnResult => {
  const { compacted, cutOff, finalText, messages, toolIterations } = project(turn, stored)
  return {
    turn: { ...turn, toolIterations },
    finalText: finalText === "" ? cutOff : finalText,
    events: endLast(stored.filter(isAgentMessage)),
    messages,
    compacted,
    context: contextIn(stored),
    handed: turn.status !== "queued" && !stored.some(saysNotHanded),
    acceptedWithoutEnd: stored.some(saysAccepted)
  }
}

/** What an agent adds to a turn after its end, a title or a command's late output, belongs before it for a reader. */
const endLast = <Message extends AcpMessage>(events: ReadonlyArray<Message>): ReadonlyArray<Message> => [
  ...events.filter((event) => "method" in event),
  ...events.filter((event) => !("method" in event))
]

/** As the agent told it last: after a compaction it is what is left. */
const contextIn = (stored: ReadonlyArray<AcpMessage>): ContextWindow | null => {
  const told = stored.findLast((message) => at(message, "params", "update", "sessionUpdate") === "usage_update")
  const used = integerIn(at(told, "params", "update", "used"))
  const size = integerIn(at(told, "params", "update", "size"))
  return used === null || size === null ? null : { used, size }
}

const saysNotHanded = (message: AcpMessage): boolean => metaOfEnd(message)["troupe/handed"] === false

const saysAccepted = (message: AcpMessage): boolean => metaOfEnd(message)["troupe/accepted_without_end"] === true

const metaOfEnd = (message: AcpMessage) =>
  "method" in message ? {} : objectIn(at(message, "result", "_meta") ?? at(message, "error", "data", "_meta"))
