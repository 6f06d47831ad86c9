/** The requests of the typed client, made from the same contract as the server. */
import { Effect, Redacted } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "./Api.ts"
import { lateHeader } from "./contract/late.ts"

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8420`. */
  readonly baseUrl: string
  /** An app's token, or the admin's. */
  readonly token: Redacted.Redacted<string> | string
}

/** Gives each request the server's address and the token, and a late answer its status. */
export const identified = (options: ClientOptions) => (client: HttpClient.HttpClient) => {
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
