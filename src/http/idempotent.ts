/** `Idempotency-Key` over HTTP: runs a request's work once for its key, and makes the response from the stored text. */
import { Effect } from "effect"
import type { Headers, HttpServerRequest } from "effect/http"
import { HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import type { Answer, Idempotency, KeyedRequest, KeyedWork, StoredAnswer } from "../services/Idempotency.ts"
import type { AppName } from "../domain/Ids.ts"
import type { IdempotencyConflict, IdempotencyUnknown, Unavailable } from "../domain/Refusal.ts"

export const responseOf = ({
  body,
  replayed = false,
  status
}: StoredAnswer & Partial<Answer>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, {
    status,
    contentType: "application/json",
    ...(replayed ? { headers: replayedHeader } : {})
  })

/** On every answer that an earlier request with the same key has led to. */
export const replayedHeader = { "idempotent-replayed": "true" } as const

/** The work of a request, which may have a key. */
export interface MaybeKeyedWork<E, F, R> extends Pick<KeyedWork<E, F, R>, "onReplay" | "over" | "resume"> {
  readonly begin: (keyed: KeyedRequest | undefined) => Effect.Effect<StoredAnswer & Partial<Answer>, E, R>
}

/** Runs the work once for the request's key and content; where the request has no key, runs it directly. */
export const idempotent = <E, F, R>(
  idempotency: Idempotency["Service"],
  app: AppName,
  request: HttpServerRequest.HttpServerRequest,
  work: MaybeKeyedWork<E, F, R>
): Effect.Effect<StoredAnswer & Partial<Answer>, E | F | IdempotencyConflict | IdempotencyUnknown | Unavailable, R> => {
  const key = keyOf(request.headers)
  if (key === undefined) return work.begin(undefined)
  return Effect.flatMap(fingerprintOf(request), (fingerprint) => idempotency.once({ app, key, fingerprint }, work))
}

export const keyOf = (headers: Headers.Headers): string | undefined => headers["idempotency-key"]

/**
 * SHA-256 of method, path and body. The body was read when it was decoded; the request holds it. A turn is the same one,
 * whichever of its two addresses it was sent to.
 */
export const fingerprintOf = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<string> =>
  Effect.map(Effect.orDie(request.text), (body) =>
    createHash("sha256")
      .update(`${request.method} ${pathOf(request.url)}\n${body}`)
      .digest("hex")
  )

const pathOf = (url: string) => url.split("?", 1)[0]!.replace(/\/turn\/stream$/, "/turn")
