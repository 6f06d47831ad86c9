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
import { lateHeader } from "./contract/late.ts"
import { SubmitTurn, TurnEvent } from "./contract/turns.ts"

export { Api } from "./Api.ts"
export * as Problem from "./contract/Problem.ts"
export type { StreamedMessage } from "../domain/events/StreamedMessage.ts"
export type { StreamedUpdate } from "../domain/events/StreamedUpdate.ts"

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
    ),
    HttpClient.transformResponse(Effect.flatMap(withItsStatus))
  )
}

/** Gives a late answer, which was sent as 200, the status that its body has: a problem's own, 502 where `ok` is false. */
const withItsStatus = (response: HttpClientResponse.HttpClientResponse) =>
  response.headers[lateHeader] === undefined
    ? Effect.succeed(response)
    : Effect.map(response.text, (text) => {
        const { ok, status = 502, type } = JSON.parse(text) as LateBody
        if (ok) return HttpClientResponse.fromWeb(response.request, jsonOf(text, 200))
        return type === undefined
          ? HttpClientResponse.fromWeb(response.request, jsonOf(text, 502))
          : HttpClientResponse.fromWeb(response.request, jsonOf(text, status, "application/problem+json"))
      })

interface LateBody {
  readonly ok: boolean
  /** A problem has both. */
  readonly status?: number
  readonly type?: string
}

const jsonOf = (text: string, status: number, contentType = "application/json") =>
  new Response(text, { status, headers: { "content-type": contentType, "retry-after": "5" } })

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
