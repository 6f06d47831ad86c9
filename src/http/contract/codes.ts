/** Every code that a problem can have as its `error`, with what it means. `ProblemDetails` takes no other. */
import { Schema } from "effect"

export const codes = {
  app_exists: "An app of that name has a token already.",
  app_not_found: "No app has that name.",
  approval_not_found: "The session has no such approval.",
  approval_settled: "The approval was answered, expired or withdrawn before.",
  body_too_large: "The body is over the limit.",
  csrf: "The dashboard's header is missing: the request did not come from its page.",
  draining: "Troupe is shutting down; ask again after `retry-after`.",
  file_away:
    "The node that has a file of the request does not answer. Nothing was done; ask again, or upload it again.",
  file_not_found: "The app stored no such file.",
  file_too_large: "The file is over the limit.",
  forbidden: "The token is valid, and not for this.",
  forbidden_host: "The `Host` header names no host that this server answers to.",
  forbidden_origin: "The page that asks may not.",
  headers_too_large: "The request's head is over the limit.",
  idempotency_conflict: "The key was used with another body.",
  idempotency_unknown: "What came of the key's first request is not known.",
  internal_error: "A fault of the server; its log has the cause under the request's id.",
  invalid_request: "Not a request that this endpoint takes; `detail` names the field.",
  ledger_away: "The ledger can't be written now; ask again after `retry-after`.",
  method_not_allowed: "The path takes other methods, which `allow` lists.",
  no_turn: "No turn runs.",
  no_wire: "The step came from no line of an agent.",
  not_allowed: "The app's operator does not let it ask for that; `detail` names the bound.",
  not_found: "There is no such path.",
  not_ready: "The server can't do its work now; `reasons` say why.",
  not_supported: "Understood, and the agent can't do it, or can't be kept to it.",
  page_not_built: "The page was not built on this server.",
  pool_full: "No process or session is free; ask again after `retry-after`.",
  queue_full: "Too many turns wait in the session's line.",
  request_timeout: "The request's head did not come in time.",
  session_closed: "The session is closed.",
  session_moved: "Another node has taken the session over meanwhile. Nothing was done; ask again, any node.",
  session_damaged: "What is stored of the session's state can't be read, so it can't go on; its turns can be read.",
  session_newer: "A later version of the server has had the session, and no node that runs can go on with it.",
  session_not_found: "The app has no such session.",
  session_parked: "The session is left alone for now; `detail` says why and until when.",
  thread_taken: "Another session has that conversation.",
  agent_fixed: "The session has had a turn, or goes on with a conversation: its agent stays.",
  too_many_connections: "Too many connections of the app to a door, such as /acp.",
  too_many_inspectors: "Too many connections to Stately's inspector.",
  turn_in_progress: "A turn runs; queue the next, or wait.",
  turn_not_found: "The session has no such turn.",
  unauthorized: "The token is missing, unknown or revoked.",
  unavailable: "The server could not do it; its log has the cause.",
  unknown_agent: "No agent has that name.",
  unsupported_media_type: "The body has another content type.",
  websocket_only: "The path takes WebSockets."
} as const

export type ErrorCode = keyof typeof codes

const listed = Object.entries(codes)
  .map(([code, meaning]) => `\`${code}\`: ${meaning}`)
  .join(" ")

/** A later server may know more codes, so a client takes any. */
export const ErrorCode = Schema.Union([
  Schema.Literals(Object.keys(codes) as Array<ErrorCode>),
  Schema.String
]).annotate({
  identifier: "ErrorCode",
  description: `A stable code. Branch on this, and expect more of them. ${listed}`
})
