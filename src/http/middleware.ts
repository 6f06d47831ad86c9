/**
 * The middleware around every route: gives the request an id, checks host and origin, answers each failure with a
 * problem, adds the standard headers, writes one log line (`logAnswer.ts`) and counts the answer.
 */
import { ByteSize, Clock, Context, Effect, References } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Scope } from "effect"
import { problemOfCause, bodyTooLarge, unsupportedMedia } from "./problemOfCause.ts"
import { makeOriginCheck, preflightHeaders } from "./originCheck.ts"
import type { OriginCheckOptions } from "./originCheck.ts"
import { problemResponse } from "./problems.ts"
import type { Origin } from "../domain/Origin.ts"
import { traceIn } from "../domain/traceparent.ts"
import { RequestOrigin } from "../services/requestOrigin.ts"
import { logAnswer } from "./logAnswer.ts"
import { RequestId, requestIdOf } from "./RequestId.ts"
import { countAnswer } from "./requestMetrics.ts"

export interface MiddlewareOptions extends OriginCheckOptions {
  readonly maxBodyBytes: number
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** The responses of `routes`, and a problem where they fail. */
export const middleware = <E>(
  routes: Effect.Effect<Response, E, Request | Scope.Scope>,
  options: MiddlewareOptions
): Effect.Effect<Response, E, Request | Scope.Scope> => {
  const originCheck = makeOriginCheck(options)
  const maxBodySize = ByteSize.fromInputUnsafe(options.maxBodyBytes)

  return Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
    const requestId = requestIdOf(request.headers["x-request-id"])
    const clock = fiber.getRef(Clock.Clock)
    const startedAt = clock.currentTimeMillisUnsafe()
    const forbidden = originCheck.problem(request.headers, request.url.split("?", 1)[0]!)
    const crossOrigin = originCheck.crossOrigin(request.headers)

    const answered: Effect.Effect<Response, E, Request | Scope.Scope> =
      forbidden !== undefined
        ? Effect.succeed(problemResponse(forbidden, requestId))
        : crossOrigin !== undefined && request.method === "OPTIONS"
          ? Effect.succeed(HttpServerResponse.empty({ status: 204, headers: preflightHeaders }))
          : Effect.catchCause(routes, (cause) =>
              Effect.flatMap(
                problemOfCause(cause, { method: request.method, url: request.url, maxBodyBytes: options.maxBodyBytes }),
                (problem) =>
                  problem === undefined
                    ? Effect.failCause(cause)
                    : Effect.succeed(
                        problemResponse(
                          problem.details,
                          requestId,
                          problem.allow === undefined ? {} : { allow: problem.allow }
                        )
                      )
              )
            )

    const observed = Effect.flatMap(answered, (answer) =>
      Effect.withFiber((fiber) => {
        const response = withStandardHeaders(answer, requestId, options.maxBodyBytes)
        const route = Context.getOrUndefined(fiber.context, HttpRouter.RouteContext)?.route.path ?? "none"
        const millis = clock.currentTimeMillisUnsafe() - startedAt
        countAnswer(fiber.context, request.method, route, response.status, millis)
        const sent = crossOrigin === undefined ? response : HttpServerResponse.setHeaders(response, crossOrigin)
        return Effect.as(logAnswer(request, route, response, millis), sent)
      })
    )

    // Each is put in front of the server's services. To merge two contexts would copy them all, twice.
    return Effect.updateContext(observed, (services: Context.Context<Request | Scope.Scope>) =>
      services.pipe(
        Context.add(RequestId, requestId),
        Context.add(RequestOrigin, originOf(request, requestId)),
        Context.add(HttpIncomingMessage.MaxBodySize, maxBodySize),
        Context.add(References.CurrentLogAnnotations, {
          ...fiber.getRef(References.CurrentLogAnnotations),
          request_id: requestId
        })
      )
    )
  })
}

/** The trace of the caller; a span of this request, where there is a tracer, takes its place (`services/requestOrigin.ts`). */
const originOf = ({ headers }: Request, request: string): Origin => {
  const { traceparent } = headers
  return traceparent === undefined || traceIn(traceparent) === null ? { request } : { request, trace: traceparent }
}

/** Adds the request's id and the security headers, and replaces the bare 413 and 415 of the framework by problems. */
const withStandardHeaders = (response: Response, requestId: string, maxBodyBytes: number): Response => {
  const contentType = response.headers["content-type"] ?? ""
  if (response.status === 415 && !contentType.endsWith("json")) {
    return withStandardHeaders(problemResponse(unsupportedMedia, requestId), requestId, maxBodyBytes)
  }
  if (response.status === 413 && !contentType.endsWith("json")) {
    return withStandardHeaders(problemResponse(bodyTooLarge(maxBodyBytes), requestId), requestId, maxBodyBytes)
  }
  const headers: Record<string, string> = { "x-request-id": requestId, "x-content-type-options": "nosniff" }
  if (contentType.startsWith("text/html") && response.headers["content-security-policy"] === undefined) {
    headers["content-security-policy"] = selfContained
  }
  if (response.headers["cache-control"] === undefined) headers["cache-control"] = "no-store"
  return HttpServerResponse.setHeaders(response, headers)
}

/** A page contains all it needs, and connects to this server only. */
const selfContained =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
