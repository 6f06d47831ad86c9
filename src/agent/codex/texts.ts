/** The parts that updates are made of: chunks of text, what is left of one, and words cut to size and without secrets. */
import type { SessionUpdate } from "../../domain/Acp.ts"
import { redact } from "../redact.ts"
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

/** Between the parts of a thought. */
export const partsApart = "\n\n"

/** What of the whole has not gone out. Where the two differ the whole is right, but what is out can't be unsaid. */
export const rest = (whole: string, sent: string): string => (whole.startsWith(sent) ? whole.slice(sent.length) : "")

/** A `reasoning` item's text: of the stream that was passed on, or else its summary, or else its raw content. */
export const thoughtOf = (item: Item, stream: "summary" | "content" | null): string => {
  const parts = (field: string) =>
    listIn(item[field])
      .flatMap((part) => textIn(part) ?? [])
      .join(partsApart)
  if (stream !== null) return parts(stream)
  return parts("summary") || parts("content")
}

/** Of an `error` that codex will try to get over by itself. */
export const retryOf = (params: JsonObject): JsonObject => {
  const error = objectIn(params["error"])
  return { message: excerpt(error["message"]), details: excerpt(error["additionalDetails"]) }
}

export const excerpt = (value: unknown): string => redact(textIn(value) ?? "").slice(0, 1_000)

/** An item that nobody here knows, for whoever does. */
export const payload = (item: Item): string => JSON.stringify(item).slice(0, 2_000)
