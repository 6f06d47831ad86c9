/** Builds events as an agent sends them, and projects them. */
import { assert } from "@effect/vitest"
import { project } from "../../src/conversation/Projection.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../../src/domain/Acp.ts"
import type { Message, TurnRecord } from "../../src/domain/Turn.ts"
import { turnRecord } from "./recorded.ts"

export const says = (text: string, more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  sessionUpdate: "agent_message_chunk",
  messageId: "m1",
  content: { type: "text", text },
  ...more
})
export const thinks = (text: string, more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  ...says(text, { messageId: "t1", ...more }),
  sessionUpdate: "agent_thought_chunk"
})
export const marked = { _meta: { "troupe/completed": true } }
export const calls = (more: Readonly<Record<string, unknown>>): SessionUpdate => ({
  sessionUpdate: "tool_call",
  toolCallId: "call_1",
  status: "in_progress",
  ...more
})
export const ends = (more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  sessionUpdate: "tool_call_update",
  toolCallId: "call_1",
  status: "completed",
  ...more
})
export const codexItem = (item: Readonly<Record<string, unknown>>) => ({ _meta: { "troupe/item": item } })

export const eventsOf = (...updates: ReadonlyArray<SessionUpdate>): ReadonlyArray<AcpMessage> =>
  updates.map((update) => updateMessage("thread", update))
export const good: AcpMessage = { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } }
export const cancelled: AcpMessage = { jsonrpc: "2.0", id: 1, result: { stopReason: "cancelled" } }
export const failed: AcpMessage = { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "It died." } }

/** The messages behind the user's, of a turn that ended well with these updates. */
export const projected = (...updates: ReadonlyArray<SessionUpdate>): ReadonlyArray<Message> =>
  messagesOf([...eventsOf(...updates), good])
export const messagesOf = (events: ReadonlyArray<AcpMessage>, turn: Partial<TurnRecord> = {}): ReadonlyArray<Message> =>
  project(turnRecord(turn), events).messages.slice(1)
/** Name, arguments and result of the one tool call. */
export const callOf = (...updates: ReadonlyArray<SessionUpdate>): ReadonlyArray<unknown> => {
  const [call, result, ...rest] = projected(...updates)
  assert.deepStrictEqual(rest, [])
  const { arguments: args, name } = call!.tool_calls![0]!.function
  return [name, JSON.parse(args), result!.content]
}
