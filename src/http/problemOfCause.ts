/**
 * The problem of a request that failed outside its handler's own problems: a body that does not fit the contract, an
 * unknown route, a body that is too long, a defect. A defect's cause goes to the log and nowhere else.
 */
import { Effect } from "effect"
import type { Cause } from "effect"
import { FindMyWay, HttpServerError } from "effect/http"
import { HttpApi } from "effect/http-api"
import type { HttpApiError } from "effect/http-api"
import { Api } from "./Api.ts"
import { UnusableBody } from "./checkBody.ts"
import type { ProblemDetails } from "./contract/Problem.ts"
import { logLateProblem } from "./logAnswer.ts"
import { problemJson } from "./problems.ts"
import { schemaProblem } from "../domain/schemaProblem.ts"

type SchemaFailure = InstanceType<typeof HttpApiError.HttpApiSchemaError>

/** As long as a request line can be, so that a path parameter that is too long is an unknown id and not an unknown route. */
export const maxParamLength = 16_384

export interface RequestProblem {
  readonly details: ProblemDetails
  /** The `allow` header of a 405. */
  readonly allow?: string
}

/** `undefined`: the client has disconnected, so there is nobody to answer. */
export const problemOfCause = (
  cause: Cause.Cause<unknown>,
  options: { readonly method: string; readonly url: string; readonly maxBodyBytes: number }
): Effect.Effect<RequestProblem | undefined> => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const problem = recognized(reason._tag === "Fail" ? reason.error : reason.defect, options)
    if (problem !== undefined) return Effect.succeed(problem)
  }
  if (cause.reasons.length > 0 && cause.reasons.every((reason) => reason._tag === "Interrupt")) {
    return Effect.succeed(isClientGone(cause) ? undefined : { details: draining })
  }
  return Effect.as(Effect.logError("A request met a defect", cause), { details: internalError })
}

/** The connection was closed before the answer was sent. */
export const isClientGone = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => reason._tag === "Interrupt" && reason.annotations.has(HttpServerError.ClientAbort.key))

/** The JSON of a problem that comes after the headers were sent, which the log has too. A defect's cause is only there. */
export const problemTextOf = <E extends ProblemDetails>(
  cause: Cause.Cause<E>,
  requestId: string
): Effect.Effect<string> => {
  const failed = cause.reasons.find((reason) => reason._tag === "Fail")
  const details: ProblemDetails = failed?.error ?? internalError
  const told =
    failed === undefined
      ? Effect.logError("An answer met a defect after its headers were sent", cause)
      : "cause" in failed.error
        ? Effect.logError(failed.error.detail, failed.error.cause)
        : Effect.void
  return Effect.andThen(told, logLateProblem(details)).pipe(
    Effect.annotateLogs("request_id", requestId),
    Effect.as(problemJson(details, requestId))
  )
}

const recognized = (
  error: unknown,
  { maxBodyBytes, method, url }: { readonly method: string; readonly url: string; readonly maxBodyBytes: number }
): RequestProblem | undefined => {
  if (isSchemaFailure(error)) {
    return error.kind === "Body" || error.kind === "ResponseHeaders"
      ? undefined
      : { details: schemaFailureProblem(error) }
  }
  const ofBody = bodyProblem(error, maxBodyBytes)
  if (ofBody !== undefined) return { details: ofBody }
  return HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"
    ? routeProblem(method, url)
    : undefined
}

/** What a body that could not be taken has met; `undefined`: it is something else. */
export const bodyProblem = (error: unknown, maxBodyBytes: number): ProblemDetails | undefined => {
  if (error instanceof UnusableBody) return error.details
  if (!HttpServerError.isHttpServerError(error) || error.reason._tag !== "RequestParseError") return undefined
  return error.reason.reason === "BodyTooLarge" ? bodyTooLarge(maxBodyBytes) : unreadable
}

const isSchemaFailure = (error: unknown): error is SchemaFailure =>
  typeof error === "object" && error !== null && "name" in error && error.name === "HttpApiSchemaError"

export const bodyTooLarge = (maxBodyBytes: number): ProblemDetails => ({
  code: "body_too_large",
  status: 413,
  detail: `A body may have ${maxBodyBytes} bytes (TROUPE_MAX_BODY). Upload what is larger with POST /files.`
})

export const unsupportedMedia: ProblemDetails = {
  code: "unsupported_media_type",
  status: 415,
  detail: "Send the body as application/json (multipart/form-data to POST /files), and say so in content-type."
}

const unreadable: ProblemDetails = {
  code: "invalid_request",
  status: 400,
  detail: "The body could not be read to its end."
}

export const internalError: ProblemDetails = {
  code: "internal_error",
  status: 500,
  detail: "Troupe met a defect of its own. The server's log has the cause under this request's id."
}

export const draining: ProblemDetails = {
  code: "draining",
  status: 503,
  detail: "Troupe is shutting down. What was accepted is in the ledger; ask again when it is back.",
  retryAfterSeconds: 10
}

// --- routes -----------------------------------------------------------------

const methods = ["GET", "POST", "PATCH", "DELETE"] as const

const contractRoutes = (() => {
  const routes = FindMyWay.make<true>({ maxParamLength })
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => routes.on(endpoint.method, endpoint.path as `/${string}`, true)
  })
  for (const path of ["/openapi.json", "/docs"] as const) routes.on("GET", path, true)
  return routes
})()

export const nothingHere = {
  code: "not_found",
  status: 404,
  detail: "Nothing is here. GET /docs shows what there is."
} as const satisfies ProblemDetails

const routeProblem = (method: string, url: string): RequestProblem => {
  const declared = methods.filter((method) => contractRoutes.find(method, url) !== undefined)
  // The router answers HEAD wherever it answers GET.
  const allowed = declared.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
  return allowed.length === 0
    ? { details: nothingHere }
    : {
        details: {
          code: "method_not_allowed",
          status: 405,
          detail: `${method} is not among the methods of this address: ${allowed.join(", ")}.`
        },
        allow: allowed.join(", ")
      }
}

// --- schemas ----------------------------------------------------------------

/** Names the fields that do not fit, what is wrong with each, and what is accepted. */
const schemaFailureProblem = ({ cause, kind }: SchemaFailure): ProblemDetails => ({
  code: "invalid_request",
  status: 400,
  detail: schemaProblem(cause.issue, { whole: whole[kind], member: kind === "Query" ? "parameter" : "field" })
})

const whole: Readonly<Record<SchemaFailure["kind"], string>> = {
  Payload: "The body",
  Params: "The path",
  Query: "The query",
  Headers: "The headers",
  Body: "The answer",
  ResponseHeaders: "The answer's headers"
}
