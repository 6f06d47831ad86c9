/** The other nodes, each as a client of its calls by its address. */
import { Clock, Context, Effect, Scope } from "effect"
import type { Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { RpcClient, RpcSerialization } from "effect/rpc"
import type { RpcClientError } from "effect/rpc"
import { nodeCalls, nodeCallsPath } from "./nodeCalls.ts"
import { sign, signatureHeader } from "./signature.ts"

export const make = Effect.fnUntraced(function* (secret: Redacted.Redacted<string>) {
  const http = yield* HttpClient.HttpClient
  const scope = yield* Effect.scope

  const signed = HttpClient.mapRequestEffect((request: HttpClientRequest.HttpClientRequest) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const body = request.body._tag === "Uint8Array" ? Buffer.from(request.body.body).toString("utf8") : ""
      return HttpClientRequest.setHeader(request, signatureHeader, sign(secret, now, body))
    })
  )

  const connect = (url: string) =>
    Effect.gen(function* () {
      const client = http.pipe(HttpClient.mapRequest(HttpClientRequest.prependUrl(`${url}${nodeCallsPath}`)), signed)
      const protocol = yield* RpcClient.makeProtocolHttp(client)
      return yield* RpcClient.make(nodeCalls, { disableTracing: true }).pipe(
        Effect.provideContext(Context.make(RpcClient.Protocol, protocol))
      )
    }).pipe(Effect.provide(RpcSerialization.layerNdjson), Scope.provide(scope))

  const clients = new Map<string, NodeClient>()
  /** Nodes come and go, their addresses stay: a client holds no connection of its own. */
  return Effect.fnUntraced(function* (url: string) {
    const known = clients.get(url)
    if (known !== undefined) return known
    const client = yield* connect(url)
    clients.set(url, client)
    return client
  })
})

export type NodeClient = RpcClient.FromGroup<typeof nodeCalls, RpcClientError.RpcClientError>

export type NodeClients = Effect.Success<ReturnType<typeof make>>

export const httpLayer = FetchHttpClient.layer
