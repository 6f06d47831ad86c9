/** Reads a turn's result from its stored events: its messages, its final text, and what its events say of the turn. */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { ContextWindow, TurnRecord, TurnResult } from "../domain/Turn.ts"
import { at, integerIn, nonEmptyTextIn, objectIn } from "../domain/json.ts"
import { project } from "./Projection.ts"
import { structuredAnswer } from "./structured.ts"
import type { StructuredAnswer } from "./structured.ts"
import { recoveredIn } from "./recovered.ts"

/**
 * `finalText` is the last complete agent message. In a turn that was cut off before there was one, it is what had
 * arrived; in one whose whole answer came after its end, it is that answer. A text whose rest came late is whole. `turn.toolIterations` counts the tool calls that have ended, including late ones.
 */
export const resultOf = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): TurnResult => {
  const { compacted, cutOff, finalText: complete, messages, toolIterations } = project(turn, stored)
  const finalText = complete === "" ? cutOff : complete
  return {
    turn: { ...turn, toolIterations },
    finalText,
    events: upToEnd(stored.filter(isAgentMessage)),
    messages,
    compacted,
    context: contextIn(stored),
    handed: turn.status !== "queued" && !stored.some(saysNotHanded),
    acceptedWithoutEnd: stored.some(saysAccepted),
    ...structuredIn(turn, finalText),
    interruptReason:
      turn.status === "interrupted" ? (stored.map(reasonIn).find((reason) => reason !== null) ?? null) : null,
    recovered: recoveredIn(stored)
  }
}

const unstructured: StructuredAnswer = { structured: null, schemaMismatch: null }

/** Only a turn that was completed has an answer that could match. */
const structuredIn = ({ settings, status }: TurnRecord, finalText: string): StructuredAnswer =>
  status === "completed" && settings.outputSchema !== undefined
    ? structuredAnswer(settings.outputSchema, finalText)
    : unstructured

/**
 * What was answered when the turn ended, also for those who read it later. What an agent adds afterwards (a title, a
 * command's late output, the rest of a text) is in the session's stream, and in the messages.
 */
const upToEnd = <Message extends AcpMessage>(events: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const end = events.findIndex((event) => !("method" in event))
  return end === -1 ? events : events.slice(0, end + 1)
}

/** As the agent reported it last: after a compaction, what is left. */
const contextIn = (stored: ReadonlyArray<AcpMessage>): ContextWindow | null => {
  const report = stored.findLast((message) => at(message, "params", "update", "sessionUpdate") === "usage_update")
  const used = integerIn(at(report, "params", "update", "used"))
  const size = integerIn(at(report, "params", "update", "size"))
  return used === null || size === null ? null : { used, size }
}

const saysNotHanded = (message: AcpMessage): boolean => metaOfEnd(message)["troupe/handed"] === false

const saysAccepted = (message: AcpMessage): boolean => metaOfEnd(message)["troupe/accepted_without_end"] === true

const reasonIn = (message: AcpMessage): string | null => nonEmptyTextIn(metaOfEnd(message)["troupe/reason"])

const metaOfEnd = (message: AcpMessage) =>
  "method" in message ? {} : objectIn(at(message, "result", "_meta") ?? at(message, "error", "data", "_meta"))
