/**
 * An agent's message as it is stored: of bounded depth and size, whatever the agent sends. A line of an agent may have 32 MiB,
 * and every reader of a turn gets all of its messages.
 */
import type { AcpMessage, ResultMessage, UpdateMessage } from "./Acp.ts"
import { clipped } from "./boundedJson.ts"
import { objectIn, shownIn } from "./json.ts"
import type { JsonObject } from "./json.ts"
import { isDeeperThan, maxDepth } from "./storable.ts"

/** All texts of one message together, in UTF-16 units. What is longer is shortened; a screenshot is usually shorter. */
export const maxMessageCharacters = 1024 * 1024

/** A longer name is looked at as everything else is. */
const maxNameCharacters = 1_024

/** In a message that is too long, each text keeps its beginning and its end. */
const maxTextCharacters = 128 * 1024

/**
 * A message that can be stored and read back. Members that nest too deep, or are too long even with their texts clipped,
 * are left out, and `_meta["troupe/left_out"]` says which and why: the rest of the update, such as the end of a tool call,
 * still counts. An image or a sound that is too long becomes a text that says so.
 */
export const boundedMessage = (message: AcpMessage): AcpMessage => {
  if (!("method" in message) || isShortChunk(message)) return message
  const isDeep = isDeeperThan(message, maxDepth)
  if (!isDeep && !isLongerThan(message.params, maxMessageCharacters)) return message
  if (message.method !== "session/update") return { ...message, params: shortened(message.params) }
  const { sessionId, update } = message.params
  return {
    jsonrpc: "2.0",
    method: "session/update",
    params: { sessionId, update: { ...shortened(update), sessionUpdate: update.sessionUpdate } }
  }
}

/** A piece of text and nothing else, as nearly all messages are: not worth to be gone through. */
const isShortChunk = ({ method, params }: Exclude<AcpMessage, ResultMessage>): boolean => {
  if (method !== "session/update") return false
  let members = 0
  for (const _ in params) members++
  const { update } = params as UpdateMessage["params"]
  if (members !== 2 || update.sessionUpdate.length > maxNameCharacters) return false
  for (const key in update) {
    if (key === "sessionUpdate") continue
    const value = update[key]
    if (key === "messageId" ? typeof value !== "string" || value.length > maxNameCharacters : key !== "content")
      return false
  }
  const content = update["content"]
  if (typeof content !== "object" || content === null) return false
  for (const key in content) {
    const value = (content as JsonObject)[key]
    if ((key !== "text" && key !== "type") || typeof value !== "string" || value.length > maxTextCharacters)
      return false
  }
  return true
}

const shortened = (object: JsonObject): JsonObject => {
  const members: Record<string, unknown> = {}
  const leftOut: Record<string, string> = {}
  for (const [key, value] of Object.entries(object)) {
    // Three levels are around a member of an update.
    if (isDeeperThan(value, maxDepth - 3)) {
      leftOut[key] = `nests deeper than ${maxDepth} levels`
      continue
    }
    const member = isLongerThan(value, maxTextCharacters) ? withShortTexts(value) : value
    if (isLongerThan(member, maxMessageCharacters)) leftOut[key] = `is longer than ${maxMessageCharacters} characters`
    else members[key] = member
  }
  if (Object.keys(leftOut).length === 0) return members
  return { ...members, _meta: { ...objectIn(members["_meta"]), "troupe/left_out": leftOut } }
}

/** The value is not deep. */
const withShortTexts = (value: unknown): unknown => {
  if (typeof value === "string") return clipped(value, maxTextCharacters)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(withShortTexts)
  const { data, mimeType, type } = value as JsonObject
  if ((type === "image" || type === "audio") && typeof data === "string" && data.length > maxTextCharacters) {
    return { type: "text", text: `[${type} ${shownIn(mimeType)}: ${data.length} characters of base64 left out]` }
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withShortTexts(member)]))
}

/** Whether the texts in a value, its keys included, have more characters together. It does not recurse. */
const isLongerThan = (root: unknown, characters: number): boolean => {
  const left: Array<unknown> = [root]
  let total = 0
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === "string") total += value.length
    else if (Array.isArray(value)) for (const member of value) left.push(member)
    else if (typeof value === "object" && value !== null) {
      for (const key in value) {
        total += key.length
        left.push((value as JsonObject)[key])
      }
    }
    if (total > characters) return true
  }
  return false
}
