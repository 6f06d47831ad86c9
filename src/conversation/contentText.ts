/**
 * Reads the content of a chunk as text: a content block of ACP, or several.
 *
 * What is no text stands in the message as `[image] {"bytes":…,"mimeType":…}`, so that an answer that is a picture or a
 * link is not empty. The data itself is in the turn's events.
 */
import { boundedJson, clipped } from "../domain/boundedJson.ts"
import { listIn, nonEmptyTextIn, objectIn, textIn } from "../domain/json.ts"
import type { JsonObject } from "../domain/json.ts"

/** `text` is as the agent sent it; `isText`: it may be continued in the middle of a word. */
export interface ContentText {
  readonly text: string
  readonly isText: boolean
}

const none: ContentText = { text: "", isText: true }

export const contentText = (content: unknown): ContentText => {
  if (typeof content === "string") return { text: content, isText: true }
  if (!Array.isArray(content)) return ofBlock(objectIn(content))
  return listIn(content)
    .map((block) => ofBlock(objectIn(block)))
    .reduce(joined, none)
}

/** Puts what is no text on a line of its own. */
export const joined = (before: ContentText, next: ContentText): ContentText => {
  if (before.text === "" || next.text === "") return before.text === "" ? next : before
  const separator = before.isText && next.isText ? "" : "\n"
  return { text: `${before.text}${separator}${next.text}`, isText: next.isText }
}

const ofBlock = (block: JsonObject): ContentText => {
  const { type } = block
  const text = textIn(block["text"])
  if (text !== null) return { text, isText: true }
  switch (type) {
    case "image":
    case "audio":
      return placeholder(type, { mimeType: block["mimeType"], bytes: bytesIn(block["data"]), uri: block["uri"] })
    case "resource_link": {
      const { description, mimeType, name, title, uri } = block
      return placeholder(type, { uri, name, title, description, mimeType })
    }
    case "resource": {
      const { blob, mimeType, text, uri } = objectIn(block["resource"])
      const words = textIn(text)
      return placeholder(type, {
        uri,
        mimeType,
        bytes: bytesIn(blob),
        text: words === null ? undefined : clipped(words)
      })
    }
    default: {
      const kind = nonEmptyTextIn(type)
      if (kind === null || kind === "text") return none
      const { type: _, ...rest } = block
      return placeholder(kind, rest)
    }
  }
}

const placeholder = (type: string, fields: JsonObject): ContentText => {
  const present = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  )
  return { text: `[${type}] ${boundedJson(present)}`, isText: false }
}

/** How many bytes the base64 stands for. */
const bytesIn = (data: unknown): number | undefined => {
  const base64 = textIn(data)
  return base64 === null ? undefined : Math.floor((base64.replace(/=+$/, "").length * 3) / 4)
}
