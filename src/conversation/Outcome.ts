/** Reads off a turn's events what it came to: its last agent message, and its messages in OpenAI's shape. */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../domain/Acp.ts"
import type { Message, TurnRecord, TurnResult } from "../domain/Turn.ts"

/** The texts of the turn's agent messages, in order; chunks without a `messageId` go on with the last one. */
const agentTexts = (events: ReadonlyArray<AcpMessage>): ReadonlyArray<string> => {
  const texts: Array<string> = []
  let open: unknown
  for (const update of updatesOf(events)) {
    if (update.sessionUpdate !== "agent_message_chunk") {
      // A tool call between two chunks makes them two messages, whatever their ids.
      if (update.sessionUpdate === "tool_call") open = undefined
      continue
    }
    const content = update["content"] as { readonly type?: unknown; readonly text?: unknown } | undefined
    if (content?.type !== "text" || typeof content.text !== "string") continue
    const id = update["messageId"] ?? "anonymous"
    if (open === id && texts.length > 0) texts[texts.length - 1] += content.text
    else texts.push(content.text)
    open = id
  }
  return texts
}

const updatesOf = (events: ReadonlyArray<AcpMessage>): ReadonlyArray<SessionUpdate> =>
  events.flatMap((event) => ("method" in event && event.method === "session/update" ? [event.params.update] : []))

export const resultOf = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): TurnResult => {
  const events = stored.filter(isAgentMessage)
  const texts = agentTexts(events)
  const messages: ReadonlyArray<Message> = [
    { role: "user", content: turn.prompt },
    ...texts.map((content) => ({ role: "assistant" as const, content }))
  ]
  return { turn, finalText: texts.at(-1) ?? "", events, messages }
}
