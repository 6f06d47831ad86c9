/**
 * What one `acpx … prompt --format json` prints, sorted out. Pure.
 *
 * It is the raw JSON-RPC between acpx and its agent, both directions in one stream with no mark of which is which, and
 * ids that collide: each side numbers its own requests from 0. So a reply is known by the request that was printed
 * before it and by its shape. Between them stand acpx's own errors, with `id: null` (observed with acpx 0.19.1).
 */
import { RpcError } from "../JsonRpc.ts"
import { isAdapterText } from "../acp/TurnTracker.ts"
import type { TurnTracker, PromptReply, UpdateFact } from "../acp/TurnTracker.ts"
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** acpx's own error: `acpxCode` such as `NO_SESSION`, `detailCode` such as `AGENT_DISCONNECTED`. */
export interface AcpxError {
  readonly acpxCode: string
  readonly detailCode: string | null
  readonly message: string
}

export type TranscriptEvent =
  | UpdateFact
  /** The agent's answer to the prompt: the end of the turn. */
  | { readonly _tag: "Reply"; readonly reply: PromptReply }
  | { readonly _tag: "OwnError"; readonly error: AcpxError }
  /** acpx had to begin a new conversation of the agent: what was said before is not in it. */
  | { readonly _tag: "Begun" }

export interface Transcript {
  /** `null`: nothing that a turn depends on. */
  readonly read: (line: string) => TranscriptEvent | null
}

/** Requests of acpx to its agent; every other request goes the other way. */
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
  // One prompt's requests: a handful, and each is taken out by its answer.
  const requestsToAgent = new Map<unknown, string>()
  const requestsToClient = new Map<unknown, JsonObject>()

  const onRequest = (id: unknown, method: string, params: unknown): TranscriptEvent | null => {
    if (!toAgent.has(method)) {
      requestsToClient.set(id, objectIn(params))
      return null
    }
    requestsToAgent.set(id, method)
    // From here on the agent's session is known: what it says before the answer is in it already.
    if (method !== "session/new" && method.startsWith("session/"))
      tracker.thread = nonEmptyTextIn(at(params, "sessionId"))
    if (method === "session/load") tracker.replaying = true
    return method === "session/new" ? { _tag: "Begun" } : null
  }

  const onReply = (message: JsonObject): TranscriptEvent | null => {
    const { error, id, result } = message
    const method = requestsToAgent.get(id)
    const isAnswerOfOurs = requestsToClient.has(id) && (method === undefined || !answers(method, result))
    if (isAnswerOfOurs) {
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
      reply: error === undefined ? { ok: true, result } : { ok: false, error: toRpcError(error) }
    }
  }

  const read: Transcript["read"] = (line) => {
    const message = parsed(line)
    const { error, id, method, params } = message
    if (typeof method === "string") {
      if (id !== undefined) return onRequest(id, method, params)
      const told = method === "session/update" ? tracker.receive(params) : null
      return told === null || !isCodex ? told : asNotice(told)
    }
    if (error !== undefined && id === null) return { _tag: "OwnError", error: acpxErrorOf(error) }
    return id !== undefined && ("result" in message || error !== undefined) ? onReply(message) : null
  }

  return { read: read }
}

/** acpx does not opt in to codex-acp's notices, which then come as text of the assistant: they are notices again here. */
const asNotice = (told: UpdateFact): UpdateFact => {
  const { params } = told.message
  if (!isAdapterText(params.update)) return told
  const title = nonEmptyTextIn(at(params.update, "content", "text"))?.trim() ?? ""
  const update = { sessionUpdate: "notice", severity: "warning", title }
  return { ...told, message: { ...told.message, params: { ...params, update } } }
}

/** Where both sides have a request of this id open: does the result look like the agent's? */
const answers = (method: string, result: unknown): boolean =>
  method === "session/prompt"
    ? typeof objectIn(result)["stopReason"] === "string"
    : objectIn(result)["outcome"] === undefined

const isDenial = (request: JsonObject | undefined, result: unknown): boolean => {
  if (request?.["options"] === undefined) return false
  const chosen = at(result, "outcome", "optionId")
  const option = listIn(request["options"])
    .map(objectIn)
    .find(({ optionId }) => optionId === chosen)
  return option === undefined || String(option["kind"]).startsWith("reject")
}

export const acpxErrorOf = (error: unknown): AcpxError => ({
  acpxCode: nonEmptyTextIn(at(error, "data", "acpxCode")) ?? "RUNTIME",
  detailCode: nonEmptyTextIn(at(error, "data", "detailCode")),
  message: nonEmptyTextIn(objectIn(error)["message"]) ?? "it gave no reason"
})

const toRpcError = (error: unknown): RpcError => {
  const { code, data, message } = objectIn(error)
  return new RpcError({
    code: Number.isInteger(code) ? (code as number) : -32603,
    message: nonEmptyTextIn(message) ?? "it gave no reason",
    ...(data === undefined ? {} : { data })
  })
}

/** The object of a line; an empty one for what is none. */
export const parsed = (line: string): JsonObject => {
  try {
    return objectIn(JSON.parse(line))
  } catch {
    return {}
  }
}
