/**
 * Interprets what one `acpx … prompt --format json` prints. Pure.
 *
 * acpx prints the raw JSON-RPC between itself and its agent: both directions in one stream, not marked, with ids that
 * collide, because each side numbers its own requests from 0. So a reply is recognized by the request that was printed
 * before it, and by its shape. Between the messages are acpx's own errors, with `id: null` (observed with acpx 0.19.1).
 */
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import * as Permission from "../acp/permission.ts"
import { isAdapterText } from "../acp/TurnTracker.ts"
import type { PromptReply, TurnTracker, UpdateFact } from "../acp/TurnTracker.ts"
import { messagesIn } from "../messagesIn.ts"
import { codeIn, RpcError } from "../RpcError.ts"
import { shallow } from "../shallow.ts"

/** acpx's own error: `acpxCode` such as `NO_SESSION`, `detailCode` such as `AGENT_DISCONNECTED`. */
export interface AcpxError {
  readonly acpxCode: string
  readonly detailCode: string | null
  readonly message: string
}

export type TranscriptEvent =
  | UpdateFact
  /** The agent's reply to the prompt, which ends the turn. */
  | { readonly _tag: "Reply"; readonly reply: PromptReply }
  | { readonly _tag: "AcpxError"; readonly error: AcpxError }
  /** acpx began a new session of the agent, which does not know the earlier turns. */
  | { readonly _tag: "NewSession" }

export interface Transcript {
  /** `null`: no turn depends on this line. */
  readonly read: (line: string) => TranscriptEvent | null
}

/** Requests of acpx to its agent. Every other request goes the other way. */
const toAgent = new Set([
  "initialize",
  "authenticate",
  "session/new",
  "session/load",
  "session/resume",
  "session/prompt",
  "session/set_mode",
  "session/set_model",
  "session/set_config_option"
])

export const make = (tracker: TurnTracker): Transcript => {
  const isCodex = /codex/i.test(tracker.identity.name)
  // The open requests of one prompt: a handful.
  const requestsToAgent = new Map<unknown, string>()
  const requestsToClient = new Map<unknown, JsonObject>()

  const onRequest = (id: unknown, method: string, params: unknown): TranscriptEvent | null => {
    if (!toAgent.has(method)) {
      requestsToClient.set(id, objectIn(params))
      // acpx answers it; what it says of a tool call counts.
      if (method === "session/request_permission") tracker.describe(Permission.read(params))
      return null
    }
    requestsToAgent.set(id, method)
    // The session is known from its request on, because updates can come before the reply.
    if (method !== "session/new" && method.startsWith("session/")) {
      tracker.thread = nonEmptyTextIn(at(params, "sessionId"))
    }
    if (method === "session/load") tracker.replaying = true
    return method === "session/new" ? { _tag: "NewSession" } : null
  }

  const onReply = (message: JsonObject): TranscriptEvent | null => {
    const { error, id, result } = message
    const method = requestsToAgent.get(id)
    const isClientsReply = requestsToClient.has(id) && (method === undefined || !isAgentsReply(method, result))
    if (isClientsReply) {
      if (isDenial(requestsToClient.get(id), result)) tracker.noteDenial()
      requestsToClient.delete(id)
      return null
    }
    requestsToAgent.delete(id)
    if (method === "session/load") tracker.replaying = false
    if (method === "session/new") tracker.thread = nonEmptyTextIn(at(result, "sessionId"))
    if (method !== "session/prompt") return null
    return {
      _tag: "Reply",
      reply: error === undefined || error === null ? { ok: true, result } : { ok: false, error: toRpcError(error) }
    }
  }

  const read: Transcript["read"] = (line) => {
    const message = parsed(line)
    const { error, id, method, params } = message
    if (typeof method === "string") {
      if (id !== undefined) return onRequest(id, method, params)
      const fact = method === "session/update" ? tracker.receive(params) : null
      return fact === null || !isCodex ? fact : asNotice(fact)
    }
    if (error !== undefined && error !== null && id === null) return { _tag: "AcpxError", error: acpxErrorOf(error) }
    return id !== undefined && ("result" in message || error !== undefined) ? onReply(message) : null
  }

  return { read }
}

/** acpx does not request codex-acp's notices, so they come as text of the assistant; this makes notices of them again. */
const asNotice = (fact: UpdateFact): UpdateFact => {
  const { params } = fact.message
  if (!isAdapterText(params.update)) return fact
  const title = nonEmptyTextIn(at(params.update, "content", "text"))?.trim() ?? ""
  const update = { sessionUpdate: "notice", severity: "warning", title }
  return { ...fact, message: { ...fact.message, params: { ...params, update } } }
}

/** Whether the result looks like the agent's, where both sides have an open request with this id. */
const isAgentsReply = (method: string, result: unknown): boolean =>
  method === "session/prompt"
    ? typeof objectIn(result)["stopReason"] === "string"
    : objectIn(result)["outcome"] === undefined

const isDenial = (request: JsonObject | undefined, result: unknown): boolean => {
  if (request?.["options"] === undefined) return false
  const chosen = at(result, "outcome", "optionId")
  const option = listIn(request["options"])
    .map(objectIn)
    .find(({ optionId }) => optionId === chosen)
  return option === undefined || textIn(option["kind"])?.startsWith("reject") === true
}

export const acpxErrorOf = (error: unknown): AcpxError => ({
  acpxCode: nonEmptyTextIn(at(error, "data", "acpxCode")) ?? "RUNTIME",
  detailCode: nonEmptyTextIn(at(error, "data", "detailCode")),
  message: nonEmptyTextIn(objectIn(error)["message"]) ?? "it gave no reason"
})

const toRpcError = (error: unknown): RpcError => {
  const { code, data, message } = objectIn(error)
  return new RpcError({
    code: codeIn(code),
    message: nonEmptyTextIn(message) ?? "it gave no reason",
    ...(data === undefined ? {} : { data })
  })
}

/** The object of a line, or the first message in it; an empty one where the line is none. */
export const parsed = (line: string): JsonObject => {
  try {
    return objectIn(shallow(JSON.parse(line), line))
  } catch {
    return messagesIn(line).messages[0]?.message ?? {}
  }
}
