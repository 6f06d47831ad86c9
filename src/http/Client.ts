/**
 * The typed client: every endpoint of the API as a function, made from the same contract as the server.
 *
 * Problems are typed failures (`Gone`, `Conflict`, `Busy`, …) with their `error` code, `detail` and `requestId`. A turn
 * that failed is no failure but a result with `ok: false`. Needs an `HttpClient`; `effect/http` has one over `fetch`.
 */
import { Effect, Redacted, Schema, Stream } from "effect"
import { Sse } from "effect/encoding"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "./Api.ts"
import type { TurnResult } from "./contract/bodies.ts"
import { SubmitTurn, TurnEvent } from "./contract/turns.ts"

export { Api } from "./Api.ts"
export * as Problem from "./contract/Problem.ts"

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8420`. */
  readonly baseUrl: string
  /** An app's token, or the admin's. */
  readonly token: Redacted.Redacted<string> | string
}

const identified = (options: ClientOptions) => (client: HttpClient.HttpClient) => {
  const token = typeof options.token === "string" ? Redacted.make(options.token) : options.token
  return client.pipe(
    HttpClient.mapRequest((request) =>
      request.pipe(HttpClientRequest.prependUrl(options.baseUrl), HttpClientRequest.bearerToken(token))
    )
  )
}

/** `client.sessions.create({ headers: {}, payload: { agent: "codex" } })`, `client.turns.submit(…)`, … */
export const make = (options: ClientOptions) => HttpApiClient.make(Api, { transformClient: identified(options) })

export type Client = Effect.Success<ReturnType<typeof make>>

/**
 * A turn as it happens: its events, then `{ event: "result" }` with its outcome, which is the last. Fails with the problem
 * that the server answered instead. Leaving the stream does not stop the turn unless it asked for `cancelOnDisconnect`.
 */
export const streamTurn = (
  options: ClientOptions,
  session: string,
  turn: typeof SubmitTurn.Type,
  idempotencyKey?: string
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const client = identified(options)(yield* HttpClient.HttpClient)
      const payload = yield* encodeTurn(turn)
      const request = HttpClientRequest.post(`/sessions/${encodeURIComponent(session)}/turn`).pipe(
        HttpClientRequest.bodyJsonUnsafe(payload),
        HttpClientRequest.setHeaders({
          accept: "text/event-stream",
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey })
        })
      )
      const response = yield* client.execute(request)
      if (response.status !== 200) {
        // The status is not 200, so this fails with the problem of its status.
        const decoded = yield* HttpApiClient.decodeResponse(Api, { group: "turns", endpoint: "submit" })(response)
        return yield* Effect.die(new Error(`The server answered ${response.status}: ${JSON.stringify(decoded)}`))
      }
      return HttpClientResponse.stream(Effect.succeed(response)).pipe(
        Stream.decodeText,
        Stream.pipeThroughChannel(Sse.decodeSchema(TurnEvent, { maxEventSize }))
      )
    })
  )

const encodeTurn = Schema.encodeEffect(Schema.toCodecJson(SubmitTurn))

/** In bytes: a result repeats all events of its turn. */
const maxEventSize = 256 * 1024 * 1024

/** A turn's outcome as the client decodes it: the keys of the library's `TurnOutcome`. */
export type TurnOutcome = typeof TurnResult.Type
