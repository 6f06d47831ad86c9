/** The messages of a run's input: those of the user at its end are the prompt, the others what was said before. */
import { nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { imageTypes } from "../../domain/PromptContent.ts"
import type { ContentBlock } from "../../domain/PromptContent.ts"
import type { Message } from "../../domain/Turn.ts"
import { isBase64, isImageType, nameIn } from "../prompt.ts"
import type { Attached, Upload } from "../prompt.ts"
import { invalid, unsupported } from "./errors.ts"

export interface GivenMessages extends Attached {
  readonly prompt: ReadonlyArray<ContentBlock>
  /** What the prompt was made of, as it came: what a repeated run is recognised by. */
  readonly asked: ReadonlyArray<unknown>
  /** The messages of the user are the last. Else somebody has answered them: the run may be one that was posted before. */
  readonly endsWithUser: boolean
  readonly history: ReadonlyArray<Message>
  readonly system: ReadonlyArray<string>
}

/** What a client keeps for itself to show, and what a model has thought: nobody is told of either. */
const unsaid: ReadonlySet<unknown> = new Set(["activity", "reasoning"])

export const readMessages = (given: ReadonlyArray<unknown>): GivenMessages => {
  const said = given
    .map((value, nth) => ({ message: objectIn(value), at: `messages[${nth}]` }))
    .filter(({ message }) => !unsaid.has(message["role"]))
  const isSystem = ({ message: { role } }: (typeof said)[number]) => role === "system" || role === "developer"
  const firstOther = said.findIndex((one) => !isSystem(one))
  const begin = firstOther === -1 ? said.length : firstOther
  const last = said.findLastIndex(({ message }) => message["role"] === "user")
  const from = said.slice(0, last + 1).findLastIndex(({ message }) => message["role"] !== "user") + 1
  const asked = last === -1 ? [] : said.slice(Math.max(begin, from), last + 1)
  const parts = asked.flatMap(({ at, message }) => partsOf(message, at))
  const before = said.slice(begin, Math.max(begin, from))
  return {
    prompt: parts.flatMap((part) => (part._tag === "Block" ? [part.block] : [])),
    files: parts.flatMap((part) => (part._tag === "File" ? [part.id] : [])),
    uploads: parts.flatMap((part) => (part._tag === "Upload" ? [part.upload] : [])),
    asked: asked.map(({ message }) => message["content"]),
    endsWithUser: last !== -1 && last === said.length - 1,
    history: before.map(({ at, message }) => historyOf(message, at)),
    system: said.slice(0, begin).map(({ at, message }) => plainText(message, at))
  }
}

const historyOf = (message: JsonObject, at: string): Message => {
  const { role, toolCallId, toolCalls } = message
  switch (role) {
    case "user":
      return { role, content: plainText(message, at) }
    case "system":
    case "developer":
      return { role: "system", content: plainText(message, at) }
    case "assistant": {
      const content = message["content"] === undefined || message["content"] === null ? null : plainText(message, at)
      if (!Array.isArray(toolCalls) || toolCalls.length === 0) return { role, content: content ?? "" }
      return {
        role,
        content,
        tool_calls: toolCalls.map((call, nth) => callOf(objectIn(call), `${at}.toolCalls[${nth}]`))
      }
    }
    case "tool": {
      const id = nonEmptyTextIn(toolCallId)
      if (id === null) throw invalid(`${at}.toolCallId`, "is missing.")
      return { role, tool_call_id: id, content: plainText(message, at) }
    }
    default:
      throw invalid(`${at}.role`, "must be user, assistant, tool, system, developer, reasoning or activity.")
  }
}

const callOf = (call: JsonObject, at: string) => {
  const called = objectIn(call["function"])
  const [id, name] = [nonEmptyTextIn(call["id"]), nonEmptyTextIn(called["name"])]
  if (id === null || name === null) throw invalid(at, "must have an id and a function with a name.")
  return { id, type: "function" as const, function: { name, arguments: textIn(called["arguments"]) ?? "" } }
}

/** Of what was said before an agent gets the text. */
const plainText = ({ content }: JsonObject, at: string): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) throw invalid(`${at}.content`, "must be text, or a list of parts.")
  return content
    .map((value, nth) => {
      const text = textIn(objectIn(value)["text"])
      if (text !== null) return text
      throw unsupported(
        `${at}.content[${nth}]`,
        "is no text. Of messages before the last of the user an agent gets the text alone."
      )
    })
    .join("\n")
}

type Part =
  | { readonly _tag: "Block"; readonly block: ContentBlock }
  | { readonly _tag: "File"; readonly id: string }
  | { readonly _tag: "Upload"; readonly upload: Upload }

const block = (block: ContentBlock): Part => ({ _tag: "Block", block })

const partsOf = ({ content }: JsonObject, at: string): ReadonlyArray<Part> => {
  if (typeof content === "string") return [block({ type: "text", text: content })]
  if (!Array.isArray(content)) throw invalid(`${at}.content`, "must be text, or a list of parts.")
  return content.map((value, nth) => partOf(objectIn(value), `${at}.content[${nth}]`))
}

const media = ["image", "audio", "video", "document"]

const partOf = (part: JsonObject, at: string): Part => {
  const { type } = part
  if (type === "text") {
    const text = textIn(part["text"])
    if (text === null) throw invalid(`${at}.text`, "is missing.")
    return block({ type: "text", text })
  }
  const filename = nonEmptyTextIn(objectIn(part["metadata"])["filename"]) ?? nonEmptyTextIn(part["filename"])
  // What clients before 1.0 send.
  if (type === "binary") return sourceOf(binarySource(part), filename, at)
  if (!media.includes(String(type))) {
    throw unsupported(`${at}.type`, `is ${JSON.stringify(type)}. A message takes text, ${media.join(", ")}.`)
  }
  return sourceOf(objectIn(part["source"]), filename, `${at}.source`)
}

const binarySource = ({ data, id, mimeType, url }: JsonObject): JsonObject =>
  typeof data === "string" && data !== ""
    ? { type: "data", value: data, mimeType }
    : typeof url === "string" && url !== ""
      ? { type: "url", value: url, mimeType }
      : { type: "file", value: id, mimeType }

const sourceOf = ({ mimeType, type, value: given }: JsonObject, filename: string | null, at: string): Part => {
  const value = nonEmptyTextIn(given)
  if (value === null) throw invalid(`${at}.value`, "is missing.")
  const kind = nonEmptyTextIn(mimeType)
  switch (type) {
    case "url":
      return block({
        type: "resource_link",
        uri: value,
        name: filename ?? nameIn(value),
        ...(kind === null ? {} : { mimeType: kind })
      })
    case "file":
      return { _tag: "File", id: value }
    case "data": {
      if (kind === null) throw invalid(`${at}.mimeType`, "is missing.")
      if (!isBase64(value)) throw invalid(`${at}.value`, "must be base64.")
      if (isImageType(kind)) return block({ type: "image", mimeType: kind, data: value })
      if (kind.startsWith("image/")) throw invalid(`${at}.mimeType`, `is ${kind}; it takes ${imageTypes.join(", ")}.`)
      return {
        _tag: "Upload",
        upload: { name: filename ?? `file.${extensionOf(kind)}`, content: Buffer.from(value, "base64") }
      }
    }
    default:
      throw invalid(`${at}.type`, "must be data, url or file.")
  }
}

const extensionOf = (mimeType: string): string => /^[a-z]+\/([a-z0-9]{1,8})$/.exec(mimeType)?.[1] ?? "bin"
