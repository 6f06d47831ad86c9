/**
 * The log's line of an answered request. Every problem that a client gets is found there by its `request_id` at the default
 * level; an answer without one is said at `debug`. Neither has anything of the request but its method and its route.
 */
import { Effect, LogLevel, Option } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { LogFields } from "../domain/logLine.ts"
import type { ProblemDetails } from "./contract/Problem.ts"

export const logAnswer = (
  { method, remoteAddress }: Pick<HttpServerRequest.HttpServerRequest, "method" | "remoteAddress">,
  route: string,
  response: HttpServerResponse.HttpServerResponse,
  millis: number
): Effect.Effect<void> => {
  const { status } = response
  const answered = `${method} ${route} ${status}`
  const answer = { method, route, status, ms: millis }
  if (status < 400) return Effect.flatMap(isDebugged, (is) => (is ? logged("Debug", answered, answer) : Effect.void))
  const code = codeIn(response)
  const line = code === null ? answered : `${answered} ${code}`
  const fields = code === null ? answer : { ...answer, error: code }
  // Who guesses tokens is found by the address that it comes from, of the proxy where there is one.
  const remote = isAuth(status) ? { remote: Option.getOrNull(remoteAddress) } : {}
  return logged(levelOf(status), line, { ...fields, ...remote })
}

/** A problem whose answer had begun: its line was written with another status. */
export const logLateProblem = ({ code, status }: Pick<ProblemDetails, "code" | "status">): Effect.Effect<void> =>
  logged(levelOf(status), `answered late with ${status} ${code}`, { status, error: code })

/** A problem of bytes that were no request. */
export const logUnreadable = ({ code, status }: { readonly code: string; readonly status: number }) =>
  logged(levelOf(status), `unreadable request ${status} ${code}`, { status, error: code })

const isAuth = (status: number) => status === 401 || status === 403

/** Asked first: most answers have no line. */
const isDebugged = LogLevel.isEnabled("Debug")

/** What a client did wrong is no warning to whoever operates the server, but for tokens that are refused. */
const levelOf = (status: number) => (status >= 500 || isAuth(status) ? "Warn" : "Info")

const logged = (level: "Debug" | "Info" | "Warn", line: string, fields: LogFields) =>
  Effect.annotateLogs(Effect.logWithLevel(level)(line), fields)

/** The `error` of a problem, as it is answered. */
const codeIn = ({ body }: HttpServerResponse.HttpServerResponse): string | null => {
  if (body._tag !== "Uint8Array" || !/[/+]json\b/.test(body.contentType)) return null
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body.body)) as { readonly error?: unknown }
    return typeof error === "string" ? error : null
  } catch {
    return null
  }
}
