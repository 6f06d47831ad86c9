/**
 * An earlier conversation as text, for an agent that does not know it: what an app's own messages become in front of the
 * first prompt of a session.
 */
import { Schema } from "effect"
import type { TroupeMessage } from "./Acp.ts"
import { troupeMessage } from "./events/troupeMessage.ts"
import { clipped } from "./boundedJson.ts"
import type { Message } from "./Turn.ts"

export const GivenContext = Schema.Struct({
  text: Schema.String,
  /** Messages of the conversation, and those of them that are in the text: the newest. */
  messages: Schema.Int,
  given: Schema.Int,
  /** A message that is in the text was shortened. */
  shortened: Schema.Boolean
})
export type GivenContext = typeof GivenContext.Type

/** Of the whole text, its frame included, and of one message in it, in UTF-16 units. */
export const maxContextCharacters = 64 * 1024
const maxMessageCharacters = 8 * 1024

const head =
  "Here is the conversation so far. It took place before this session; take it as known, and do not repeat it."
const tail = "This is the end of the conversation so far. What follows is new:"
const frameCharacters = 512

/** `null`: there is nothing to give. */
export const contextOf = (messages: ReadonlyArray<Message>): GivenContext | null => {
  const names = new Map(
    messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map((call) => [call.id, call.function.name] as const))
  )
  const parts: Array<string> = []
  let left = maxContextCharacters - frameCharacters
  let shortened = false
  for (const message of messages.toReversed()) {
    const whole = rendered(message, names)
    const part = clipped(whole, maxMessageCharacters)
    if (part.length + 2 > left) break
    left -= part.length + 2
    shortened ||= part !== whole
    parts.unshift(part)
  }
  if (parts.length === 0) return null
  const leftOut = messages.length - parts.length
  const note = leftOut === 0 ? [] : [`(${leftOut} earlier messages are left out.)`]
  const text = [head, ...note, ...parts, tail].join("\n\n")
  return { text, messages: messages.length, given: parts.length, shortened }
}

/** The message that says what the agent of a turn was given. */
export const contextGiven = (turn: number, { given, messages, shortened, text }: GivenContext): TroupeMessage =>
  troupeMessage("context_given", {
    turn_index: turn,
    messages: given,
    left_out: messages - given,
    cut: shortened || given < messages,
    characters: text.length,
    max_characters: maxContextCharacters
  })

const roles = { user: "User", assistant: "Assistant", system: "System", tool: "Tool" } as const

const rendered = ({ content, role, tool_call_id, tool_calls = [] }: Message, names: ReadonlyMap<string, string>) => {
  if (role === "tool") {
    const name = names.get(tool_call_id ?? "")
    return `Result of ${name ?? "a tool"}: ${content ?? ""}`
  }
  const said = content === null || content === "" ? [] : [`${roles[role]}: ${content}`]
  const calls = tool_calls.map((call) => `Assistant called ${call.function.name} with ${call.function.arguments}`)
  return [...said, ...calls].join("\n")
}
