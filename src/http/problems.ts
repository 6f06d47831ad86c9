/** From what a door says to what goes out: the problem of a refusal, failed with or as an answer. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Refusal } from "../domain/Refusal.ts"
import { defaultRetrySeconds, problemMembers, problemOf } from "./contract/Problem.ts"
import type { ProblemOf, ProblemDetails } from "./contract/Problem.ts"
import { RequestId } from "./RequestId.ts"

/** A handler's failure. A fault of ours leaves its cause in the log, under the request's id. */
export const failWith = <R extends ProblemDetails>(refused: R): Effect.Effect<never, ProblemOf<R>> =>
  Effect.withFiber((fiber) => {
    const failure = Effect.fail(problemOf(refused, fiber.getRef(RequestId)))
    return "cause" in refused ? Effect.andThen(Effect.logError(refused.detail, refused.cause), failure) : failure
  })

/** `refuse` for whatever a door may be refused with. */
export const orProblem = <A, E extends Refusal | ProblemDetails, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, ProblemOf<E>, R> => effect.pipe(Effect.catch((refused) => failWith(refused)))

/** The JSON of a problem, key by key as the contract has it. */
export const problemJson = (
  refused: Omit<ProblemDetails, "status"> & { readonly status: number },
  requestId: string
): string => {
  const { reasons, requestId: request_id, retryAfter: retry_after, ...members } = problemMembers(refused, requestId)
  return JSON.stringify({ ...members, request_id, retry_after, reasons })
}

/** An answer for where no endpoint is: unknown routes, hosts that are not served, faults. */
export const problemResponse = (
  refused: ProblemDetails,
  requestId: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(problemJson(refused, requestId), {
    status: refused.status,
    contentType: "application/problem+json",
    headers:
      refused.status === 503
        ? { "retry-after": String(refused.retryAfterSeconds ?? defaultRetrySeconds), ...headers }
        : headers
  })
