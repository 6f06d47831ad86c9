/** `Idempotency-Key`: what a request's key and content are, and its answer as text that can be kept and sent again. */
import { Effect } from "effect"
import type { Headers, HttpServerRequest } from "effect/http"
import { HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import type { StoredAnswer, Idempotency } from "../services/Idempotency.ts"
import type { AppName } from "../domain/Ids.ts"

export const answer = ({ body, status }: StoredAnswer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, { status, contentType: "application/json" })

/** Runs `work` itself where the request has no key. */
export const idempotent = <E, R>(
  idempotency: Idempotency["Service"],
  app: AppName,
  request: HttpServerRequest.HttpServerRequest,
  work: Effect.Effect<StoredAnswer, E, R>
) => {
  const key = keyOf(request.headers)
  if (key === undefined) return work
  return Effect.flatMap(fingerprintOf(request), (fingerprint) => idempotency.once(app, key, fingerprint, work))
}

export const keyOf = (headers: Headers.Headers): string | undefined => headers["idempotency-key"]

/** SHA-256 of method, path and body. The body was read to be decoded and is kept with the request. */
export const fingerprintOf = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<string> =>
  Effect.map(Effect.orDie(request.text), (body) =>
    createHash("sha256")
      .update(`${request.method} ${pathOf(request.url)}\n${body}`)
      .digest("hex")
  )

const pathOf = (url: string) => url.split("?", 1)[0]!
