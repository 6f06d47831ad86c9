/**
 * What every request goes through, whatever its route: a name of its own, the check of host and origin, a problem body
 * for all that fails, a line in the log, and the numbers.
 */
import { ByteSize, Clock, Context, Effect, References } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Scope } from "effect"
import { problemOfCause, bodyTooLarge, unsupportedMedia } from "./problemOfCause.ts"
import { makeOriginCheck, preflightHeaders } from "./originCheck.ts"
import type { OriginCheckOptions } from "./originCheck.ts"
import { problemResponse } from "./problems.ts"
import { RequestId, requestIdOf } from "./RequestId.ts"
import { makeRequestCounter } from "./requestMetrics.ts"

export interface MiddlewareOptions extends OriginCheckOptions {
  readonly maxBodyBytes: number
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** The answers of `routes`, and an answer where they fail. */
export const middleware = <E>(
  routes: Effect.Effect<Response, E, Request | Scope.Scope>,
  options: MiddlewareOptions
): Effect.Effect<Response, E, Request | Scope.Scope> => {
  const originCheck = makeOriginCheck(options)
  const maxBodySize = ByteSize.fromInputUnsafe(options.maxBodyBytes)
  const count = makeRequestCounter()

  return Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
    const requestId = requestIdOf(request.headers["x-request-id"])
    const clock = fiber.getRef(Clock.Clock)
    const startedAt = clock.currentTimeMillisUnsafe()
    const refused = originCheck.refusal(request.headers)
    const crossOrigin = originCheck.crossOrigin(request.headers)

    const answer: Effect.Effect<Response, E, Request | Scope.Scope> =
      refused !== undefined
        ? Effect.succeed(problemResponse(refused, requestId))
        : crossOrigin !== undefined && request.method === "OPTIONS"
          ? Effect.succeed(HttpServerResponse.empty({ status: 204, headers: preflightHeaders }))
          : Effect.catchCause(routes, (cause) =>
              Effect.flatMap(
                problemOfCause(cause, { method: request.method, url: request.url, maxBodyBytes: options.maxBodyBytes }),
                (fault) =>
                  fault === undefined
                    ? Effect.failCause(cause)
                    : Effect.succeed(
                        problemResponse(
                          fault.refused,
                          requestId,
                          fault.allow === undefined ? {} : { allow: fault.allow }
                        )
                      )
              )
            )

    const named = Effect.flatMap(answer, (response) =>
      Effect.withFiber((fiber) => {
        const told = tell(response, requestId, options.maxBodyBytes)
        const route = Context.getOrUndefined(fiber.context, HttpRouter.RouteContext)?.route.path ?? "none"
        const millis = clock.currentTimeMillisUnsafe() - startedAt
        count(fiber.context, request.method, route, told.status, millis)
        const sent = crossOrigin === undefined ? told : HttpServerResponse.setHeaders(told, crossOrigin)
        const line = `${request.method} ${route} ${told.status} in ${millis} ms`
        return Effect.as(told.status === 500 ? Effect.logWarning(line) : Effect.logDebug(line), sent)
      })
    )

    return Effect.provideContext(
      named,
      Context.make(RequestId, requestId).pipe(
        Context.add(HttpIncomingMessage.MaxBodySize, maxBodySize),
        Context.add(References.CurrentLogAnnotations, {
          ...fiber.getRef(References.CurrentLogAnnotations),
          request_id: requestId
        })
      )
    )
  })
}

/** The request's name, and a problem in place of the bare refusals that the framework writes itself. */
const tell = (response: Response, requestId: string, maxBodyBytes: number): Response => {
  const contentType = response.headers["content-type"] ?? ""
  if (response.status === 415 && !contentType.endsWith("json")) {
    return tell(problemResponse(unsupportedMedia, requestId), requestId, maxBodyBytes)
  }
  if (response.status === 413 && !contentType.endsWith("json")) {
    return tell(problemResponse(bodyTooLarge(maxBodyBytes), requestId), requestId, maxBodyBytes)
  }
  const headers: Record<string, string> = { "x-request-id": requestId, "x-content-type-options": "nosniff" }
  if (contentType.startsWith("text/html") && response.headers["content-security-policy"] === undefined) {
    headers["content-security-policy"] = selfContained
  }
  if (response.headers["cache-control"] === undefined) headers["cache-control"] = "no-store"
  return HttpServerResponse.setHeaders(response, headers)
}

/** A page has all it needs in itself, and talks to nobody but this server. */
const selfContained =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
