/** `Idempotency-Key` over HTTP: runs a request's work once for its key, and makes the response from the stored text. */
import { Effect } from "effect"
import type { Headers, HttpServerRequest } from "effect/http"
import { HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import type { StoredAnswer, Idempotency } from "../services/Idempotency.ts"
import type { AppName } from "../domain/Ids.ts"

export const responseOf = ({ body, status }: StoredAnswer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, { status, contentType: "application/json" })

/** Runs `work` once for the request's key and content; where the request has no key, runs it directly. */
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

/** SHA-256 of method, path and body. The body was read when it was decoded; the request holds it. */
export const fingerprintOf = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<string> =>
  Effect.map(Effect.orDie(request.text), (body) =>
    createHash("sha256")
      .update(`${request.method} ${pathOf(request.url)}\n${body}`)
      .digest("hex")
  )

const pathOf = (url: string) => url.split("?", 1)[0]!
