/** Answers with problems: fails a handler with one, turns the refusals of a service into them, or writes one as a response. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Refusal } from "../domain/Refusal.ts"
import { defaultRetrySeconds, problemMembers, problemOf, waitHeaders } from "./contract/Problem.ts"
import type { ProblemDetails, ProblemOf } from "./contract/Problem.ts"
import { RequestId } from "./RequestId.ts"

/** A handler's failure. A fault of ours, which carries its `cause`, is logged with it under the request's id. */
export const failWith = <D extends ProblemDetails>(details: D): Effect.Effect<never, ProblemOf<D>> =>
  Effect.withFiber((fiber) => {
    const failure = Effect.fail(problemOf(details, fiber.getRef(RequestId)))
    return "cause" in details && details.status === 500
      ? Effect.andThen(Effect.logError(details.detail, details.cause), failure)
      : failure
  })

/** The effect of a service, with each of its refusals as the problem of the refusal's status. */
export const orProblem = <A, E extends Refusal | ProblemDetails, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, ProblemOf<E>, R> => effect.pipe(Effect.catch((details) => failWith(details)))

/** The JSON of a problem, key by key as the contract has it. */
export const problemJson = (
  details: Omit<ProblemDetails, "status"> & { readonly status: number },
  requestId: string
): string => {
  const { reasons, requestId: request_id, retryAfter: retry_after, ...members } = problemMembers(details, requestId)
  return JSON.stringify({ ...members, request_id, retry_after, reasons })
}

/** The response where no endpoint answers: unknown routes, hosts that are not served, defects. */
export const problemResponse = (
  details: ProblemDetails,
  requestId: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(problemJson(details, requestId), {
    status: details.status,
    contentType: "application/problem+json",
    headers:
      details.status === 503
        ? { ...waitHeaders(details.retryAfterSeconds ?? defaultRetrySeconds, details.exceeded), ...headers }
        : headers
  })

/** Turns the failure of a route that is no endpoint of the contract into its problem. The cause of an internal failure goes to the log. */
export const answeringRefusals = <R>(
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, ProblemDetails, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  answer.pipe(
    Effect.catch((refused) =>
      Effect.withFiber((fiber) => {
        const headers = refused.status === 401 ? { "www-authenticate": "Bearer" } : {}
        const response = Effect.succeed(problemResponse(refused, fiber.getRef(RequestId), headers))
        return "cause" in refused ? Effect.andThen(Effect.logError(refused.detail, refused.cause), response) : response
      })
    )
  )
