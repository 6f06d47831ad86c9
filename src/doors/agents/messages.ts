/** Messages of a user as a turn's prompt: texts, and images as data or by their addresses. */
import { objectIn } from "../../domain/json.ts"
import type { ContentBlock } from "../../domain/PromptContent.ts"
import { promptOf } from "../prompt.ts"
import { invalid, unsupported } from "../responses/errors.ts"
import { readInput } from "../responses/input.ts"
import { checkParameters, taken } from "./parameters.ts"

export type Prompt = string | ReadonlyArray<ContentBlock>

const maxMessages = 64

/** `at`: where they stand in the request. */
export const readMessages = (value: unknown, at: string): Prompt => {
  if (typeof value === "string") {
    if (value.trim() === "") throw invalid(at, "must hold something to say.")
    return value
  }
  if (!Array.isArray(value) || value.length === 0) throw invalid(at, "must be a list of messages that is not empty.")
  if (value.length > maxMessages) throw invalid(at, `may have ${maxMessages} messages.`)
  for (const [nth, message] of value.entries()) check(message, `${at}[${nth}]`)
  const { prompt } = readInput(value)
  if (prompt.every((block) => block.type === "text" && block.text.trim() === "")) {
    throw invalid(at, "must hold something to say.")
  }
  return promptOf(prompt)
}

const check = (message: unknown, at: string): void => {
  const { content, role, type = "message" } = checkParameters(message, { content: taken, role: taken, type: taken }, at)
  if (type !== "message") throw invalid(`${at}.type`, "must be message.")
  if (role !== "user") throw invalid(`${at}.role`, "must be user: an agent is told the rest by its instructions.")
  if (!Array.isArray(content) || content.length === 0) throw invalid(`${at}.content`, "must be a list of parts.")
  for (const [nth, part] of content.entries()) {
    const { type: kind } = objectIn(part)
    if (kind === "input_text" || kind === "input_image") continue
    throw unsupported(`${at}.content[${nth}].type`, "must be input_text or input_image.")
  }
}
