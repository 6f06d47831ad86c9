/**
 * The addendum of a turn whose end Troupe did not receive and that its agent had finished: written from what the agent's
 * own record has of the turn, and read back from the session's stream. The turn's stored outcome stays as it is.
 */
import { troupeMessage } from "../domain/events/troupeMessage.ts"
import type { AcpMessage, TroupeMessage, UpdateMessage } from "../domain/Acp.ts"
import { clipped } from "../domain/boundedJson.ts"
import { listIn, numberIn, textIn } from "../domain/json.ts"
import type { Message, RecoveredOutcome, StopReason, TurnRecord } from "../domain/Turn.ts"
import { project } from "./Projection.ts"

const event = "turn_recovered"

/** Of one text, and of all messages together. With these an event stays below what is stored of one message. */
const maxTextCharacters = 64 * 1024
const maxCharacters = 512 * 1024

/** The event that says what the agent had finished, in the names of the wire. */
export const recoveredMessage = (
  turn: TurnRecord,
  updates: ReadonlyArray<UpdateMessage>,
  stopReason: StopReason,
  at: number
): TroupeMessage => {
  const { finalText, messages } = project(turn, [
    ...updates,
    { jsonrpc: "2.0", id: turn.index, result: { stopReason } }
  ])
  return troupeMessage(event, {
    turn_index: turn.index,
    at: at / 1000,
    stop_reason: stopReason,
    text: clipped(finalText, maxTextCharacters),
    messages: bounded(messages)
  })
}

/** `null`: nothing was recovered of the turn. */
export const recoveredIn = (stored: ReadonlyArray<AcpMessage>): RecoveredOutcome | null => {
  const message = stored.find((message) => "method" in message && message.method === `_troupe/${event}`)
  if (message === undefined || !("method" in message) || message.method === "session/update") return null
  const { at, messages, stop_reason, text } = message.params
  return {
    at: Math.round((numberIn(at) ?? 0) * 1000),
    stopReason: (textIn(stop_reason) ?? "end_turn") as StopReason,
    finalText: textIn(text) ?? "",
    messages: listIn(messages) as ReadonlyArray<Message>
  }
}

/** The prompt and the end of the turn; what is left out between them is said in its place. A tool's call keeps its answer. */
const bounded = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const short = messages.map((message): Message => ({
    ...message,
    content: message.content === null ? null : clipped(message.content, maxTextCharacters),
    ...(message.reasoning === undefined ? {} : { reasoning: clipped(message.reasoning, maxTextCharacters) })
  }))
  const sizes = short.map((message) => JSON.stringify(message).length)
  let left = maxCharacters - (sizes[0] ?? 0)
  let from = short.length
  while (from > 1 && left >= (sizes[from - 1] ?? 0)) left -= sizes[--from] ?? 0
  while (short[from]?.role === "tool") from++
  if (from <= 1) return short
  const note = { role: "assistant", content: `[left out] ${from - 1} messages` } as const
  return [...short.slice(0, 1), note, ...short.slice(from)]
}
