/**
 * The input of a response as a turn's prompt: the messages of the user at its end. What comes before them is the earlier
 * conversation, which a new session's agent is given; of system and developer messages at the beginning its system prompt.
 */
import { listIn, nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { imageTypes } from "../../domain/PromptContent.ts"
import type { ContentBlock } from "../../domain/PromptContent.ts"
import type { Message } from "../../domain/Turn.ts"
import { isBase64, isImageType, nameIn } from "../prompt.ts"
import type { Attached } from "../prompt.ts"
import { invalid, unsupported } from "./errors.ts"

const maxItems = 4_096

export interface GivenInput extends Attached {
  readonly prompt: ReadonlyArray<ContentBlock>
  readonly history: ReadonlyArray<Message>
  readonly system: ReadonlyArray<string>
}

export const readInput = (input: unknown): GivenInput => {
  if (typeof input === "string") return readItems([{ role: "user", content: input }])
  if (!Array.isArray(input) || input.length === 0)
    throw invalid("input", "must be text, or a list of items that is not empty.")
  if (input.length > maxItems) throw invalid("input", `may have ${maxItems} items.`)
  return readItems(input)
}

const readItems = (items: ReadonlyArray<unknown>): GivenInput => {
  const roles = items.map((item) => roleOf(objectIn(item)))
  const firstOther = roles.findIndex((role) => role !== "system" && role !== "developer")
  const lastOther = roles.findLastIndex((role) => role !== "user")
  const begin = firstOther === -1 ? items.length : firstOther
  if (lastOther === items.length - 1) {
    throw invalid("input", "must end with a message of the user: that is what the agent is asked.")
  }
  const system = items.slice(0, begin).map((item, index) => plainText(objectIn(item), `input[${index}]`))
  const history = items
    .slice(begin, lastOther + 1)
    .flatMap((item, index) => messageOf(objectIn(item), `input[${begin + index}]`))
  const from = Math.max(begin, lastOther + 1)
  const parts = items.slice(from).flatMap((item, index) => partsOf(objectIn(item), `input[${from + index}]`))
  return {
    system,
    history,
    prompt: parts.flatMap((part) => (part._tag === "Block" ? [part.block] : [])),
    files: parts.flatMap((part) => (part._tag === "File" ? [part.id] : [])),
    uploads: parts.flatMap((part) => (part._tag === "Upload" ? [{ name: part.name, content: part.content }] : []))
  }
}

/** `null`: the item is no message. */
const roleOf = ({ role, type = "message" }: JsonObject) => (type === "message" ? role : null)

const messageOf = (item: JsonObject, at: string): ReadonlyArray<Message> => {
  const { arguments: args, call_id, name, output, role, type = "message" } = item
  switch (type) {
    case "message":
      if (role !== "user" && role !== "assistant" && role !== "system" && role !== "developer") {
        throw invalid(`${at}.role`, "must be user, assistant, system or developer.")
      }
      return [{ role: role === "developer" ? "system" : role, content: plainText(item, at) }]
    case "function_call": {
      const id = nonEmptyTextIn(call_id)
      const called = nonEmptyTextIn(name)
      if (id === null || called === null) throw invalid(at, "must have a call_id and a name.")
      const call = { id, type: "function" as const, function: { name: called, arguments: textIn(args) ?? "" } }
      return [{ role: "assistant", content: null, tool_calls: [call] }]
    }
    case "function_call_output": {
      const id = nonEmptyTextIn(call_id)
      if (id === null) throw invalid(`${at}.call_id`, "is missing.")
      return [{ role: "tool", tool_call_id: id, content: typeof output === "string" ? output : JSON.stringify(output) }]
    }
    // What a model has thought is its own, and an agent has none of another's.
    case "reasoning":
      return []
    default:
      throw unsupported(
        `${at}.type`,
        `is ${JSON.stringify(type)}, which has no counterpart. Items are messages, function calls and their outputs.`
      )
  }
}

/** Of messages before the last: an agent gets them as text. */
const plainText = (item: JsonObject, at: string): string => {
  const { content } = item
  if (typeof content === "string") return content
  if (!Array.isArray(content)) throw invalid(`${at}.content`, "must be text, or a list of parts.")
  return content
    .map((value, index) => {
      const part = objectIn(value)
      const text = textIn(part["text"]) ?? textIn(part["refusal"])
      if (text !== null) return text
      throw unsupported(
        `${at}.content[${index}]`,
        "is no text. Of messages before the last of the user an agent gets the text alone."
      )
    })
    .join("\n")
}

type Part =
  | { readonly _tag: "Block"; readonly block: ContentBlock }
  | { readonly _tag: "File"; readonly id: string }
  | { readonly _tag: "Upload"; readonly name: string; readonly content: Uint8Array }

const block = (block: ContentBlock): Part => ({ _tag: "Block", block })

const partsOf = ({ content }: JsonObject, at: string): ReadonlyArray<Part> => {
  if (typeof content === "string") return [block({ type: "text", text: content })]
  if (!Array.isArray(content)) throw invalid(`${at}.content`, "must be text, or a list of parts.")
  return listIn(content).map((value, index) => partOf(objectIn(value), `${at}.content[${index}]`))
}

const partOf = (part: JsonObject, at: string): Part => {
  const { type } = part
  switch (type) {
    case "input_text":
    case "text": {
      const text = textIn(part["text"])
      if (text === null) throw invalid(`${at}.text`, "is missing.")
      return block({ type: "text", text })
    }
    case "input_image":
      return imageOf(part, at)
    case "input_file":
      return fileOf(part, at)
    default:
      throw unsupported(
        `${at}.type`,
        `is ${JSON.stringify(type)}. A message of the user takes input_text, input_image and input_file.`
      )
  }
}

const imageOf = ({ file_id, image_url }: JsonObject, at: string): Part => {
  const id = nonEmptyTextIn(file_id)
  if (id !== null) return { _tag: "File", id }
  const url = nonEmptyTextIn(image_url)
  if (url === null) throw invalid(at, "must have an image_url or a file_id.")
  if (!url.startsWith("data:")) return block({ type: "resource_link", uri: url, name: nameIn(url) })
  const [, mimeType = "", data = ""] = /^data:([\w/+.-]+);base64,(.+)$/s.exec(url) ?? []
  if (!isImageType(mimeType))
    throw invalid(`${at}.image_url`, `must be an address, or a data URL in base64 of ${imageTypes.join(", ")}.`)
  return block({ type: "image", mimeType, data })
}

const fileOf = ({ file_data, file_id, file_url, filename }: JsonObject, at: string): Part => {
  const id = nonEmptyTextIn(file_id)
  if (id !== null) return { _tag: "File", id }
  const url = nonEmptyTextIn(file_url)
  if (url !== null) return block({ type: "resource_link", uri: url, name: nonEmptyTextIn(filename) ?? nameIn(url) })
  const data = nonEmptyTextIn(file_data)
  if (data === null) throw invalid(at, "must have a file_id, a file_url, or file_data with a filename.")
  const base64 = data.replace(/^data:[^,]*,/, "")
  if (!isBase64(base64)) throw invalid(`${at}.file_data`, "must be base64, or a data URL in base64.")
  return { _tag: "Upload", name: nonEmptyTextIn(filename) ?? "file", content: Buffer.from(base64, "base64") }
}
