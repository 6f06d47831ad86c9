/** The content of session updates: chunks of text, and excerpts of codex's words without secrets. */
import type { SessionUpdate } from "../../domain/Acp.ts"
import { redact } from "../redact.ts"
import { cut } from "../../domain/cut.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Item } from "./wire.ts"

export type ChunkKind = "agent_message_chunk" | "agent_thought_chunk"

export const chunk = (sessionUpdate: ChunkKind, messageId: string, text: string, meta?: JsonObject): SessionUpdate => ({
  sessionUpdate,
  messageId,
  content: { type: "text", text },
  ...(meta === undefined ? {} : { _meta: meta })
})

/** An update for what ACP has no kind for. */
export const info = (meta: JsonObject): SessionUpdate => ({ sessionUpdate: "session_info_update", _meta: meta })

/** Between the parts of a thought. */
export const partSeparator = "\n\n"

/** The part of the whole that was not sent. Where the two differ the whole is right, but sent text can't be recalled. */
export const rest = (whole: string, sent: string): string => (whole.startsWith(sent) ? whole.slice(sent.length) : "")

/** A `reasoning` item's text: of the stream that was emitted, else its summary, else its raw content. */
export const thoughtOf = (item: Item, stream: "summary" | "content" | null): string => {
  const parts = (field: string) =>
    listIn(item[field])
      .flatMap((part) => textIn(part) ?? [])
      .join(partSeparator)
  if (stream !== null) return parts(stream)
  return parts("summary") || parts("content")
}

/** From an `error` after which codex retries. */
export const retryOf = (params: JsonObject): JsonObject => {
  const error = objectIn(params["error"])
  return { message: excerpt(error["message"]), details: excerpt(error["additionalDetails"]) }
}

/** From a request that an overloaded codex did not take. */
export const overloaded = (method: string, reason: string): JsonObject => ({
  message: `Codex is overloaded and did not take ${method}. It is asked again.`,
  details: excerpt(reason)
})

export const excerpt = (value: unknown): string => cut(redact(textIn(value) ?? ""), 1_000)

/** An item of an unknown type as JSON, cut to size. */
export const payload = (item: Item): string => cut(JSON.stringify(item), 2_000)
