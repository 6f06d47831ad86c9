/** Refuses messages that are no conversation in OpenAI's shape, with the index of the first that is not. */
import { Effect } from "effect"
import { InvalidRequest } from "../domain/Refusal.ts"
import { objectIn } from "../domain/json.ts"
import type { Message } from "../domain/Turn.ts"

const roles: ReadonlySet<unknown> = new Set(["user", "assistant", "tool", "system"])

/** An app may keep more with its messages; what is not known here is left alone. */
export const checkMessages = (messages: unknown): Effect.Effect<ReadonlyArray<Message>, InvalidRequest> =>
  Effect.suspend(() => {
    if (!Array.isArray(messages)) return refused("messages", "must be a list of messages.")
    for (const [index, message] of messages.entries()) {
      const problem = problemOf(message)
      if (problem !== null) return refused(`messages[${index}]${problem[0]}`, problem[1])
    }
    return Effect.succeed(messages as ReadonlyArray<Message>)
  })

const refused = (field: string, problem: string) => Effect.fail(new InvalidRequest({ field, problem }))

type Problem = readonly [member: string, problem: string]

const problemOf = (message: unknown): Problem | null => {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return ["", "must be an object."]
  const { content, role, tool_call_id, tool_calls } = objectIn(message)
  if (!roles.has(role)) return [".role", "must be user, assistant, tool or system."]
  if (tool_calls !== undefined && (role !== "assistant" || !Array.isArray(tool_calls))) {
    return [".tool_calls", "must be a list, and belongs to an assistant's message."]
  }
  const calls: ReadonlyArray<unknown> = Array.isArray(tool_calls) ? tool_calls : []
  const nth = calls.findIndex((call) => !isCall(call))
  if (nth !== -1) return [`.tool_calls[${nth}]`, "must have an id, and a function with a name and arguments as text."]
  if (role === "tool" && typeof tool_call_id !== "string") return [".tool_call_id", "must name the call."]
  if (typeof content === "string" || (content === null && calls.length > 0)) return null
  return [".content", "must be text; null only with tool_calls."]
}

const isCall = (call: unknown): boolean => {
  const { function: called, id } = objectIn(call)
  const { arguments: args, name } = objectIn(called)
  return typeof id === "string" && typeof name === "string" && typeof args === "string"
}
