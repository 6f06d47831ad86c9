/** Whether a streamed message has one of the forms that are drawn, and is not only let through. */
import { Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import {
  resultMessages,
  StreamedMessage,
  troupeMessages,
  UpdateMessage
} from "../../src/domain/events/StreamedMessage.ts"
import { SubagentUpdate, updateKinds } from "../../src/domain/events/StreamedUpdate.ts"
import { objectIn } from "../../src/domain/json.ts"

const isMessage = Schema.is(Schema.Union([UpdateMessage, ...troupeMessages, ...resultMessages]))
const kinds = { ...updateKinds, "_troupe/subagent_update": SubagentUpdate }
const decode = Schema.decodeUnknownSync(StreamedMessage)

/** `null`, or the update that no kind of ACP has the form for. */
export const unknownUpdate = (update: unknown): unknown => {
  const kind = objectIn(update)["sessionUpdate"]
  const form = typeof kind === "string" && kind in kinds ? kinds[kind as keyof typeof kinds] : undefined
  return form !== undefined && Schema.is(form as Schema.Codec<unknown>)(update) ? null : update
}

/** Decoding loses nothing of it, and every part of it is known; else what is not. */
export const notStrict = (message: unknown): unknown => {
  if (!isDeepStrictEqual(decode(message), message)) return { decoded: decode(message), message }
  if (!isMessage(message)) return message
  return message.method === "session/update" ? unknownUpdate(message.params.update) : null
}
