/**
 * WebSockets, for the routes that ask for one: the handshake, pings, and the close.
 *
 * The routes decide what is sent. Common to all: small frames from the client, a ping every 30 s that finds a client
 * which disappeared without a close, and no connection left when the server has closed.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect } from "effect"
import type { Scope } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"

/** Of one frame from a client; `ws` closes the connection of a longer one with 1009. */
const longestFrame = 4_096
const pingEvery = "30 seconds"
/** The time a client has to answer a close before its connection is cut. */
const closeWithin = "2 seconds"

export interface WebSockets {
  /** For Node's `upgrade` event: the same app that answers requests, in which a route may ask for `request.upgrade`. */
  readonly handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Called when the routes have closed theirs: waits for the clients' close frames, at most 2 s. */
  readonly close: Effect.Effect<void>
}

/** Other upgrades, such as `h2c`, are answered as plain requests: a server may ignore an offer. */
export const isWebSocket = ({ headers, method }: IncomingMessage): boolean =>
  method === "GET" && headers.upgrade?.toLowerCase() === "websocket"

export const make = Effect.fnUntraced(function* <E>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>,
  requests: Scope.Scope
) {
  const server = new NodeWS.WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: longestFrame })
  const handler = yield* NodeHttpServer.makeUpgradeHandler(Effect.succeed(server), app, { scope: requests })

  const unanswered = new WeakSet<NodeWS.WebSocket>()
  yield* Effect.sync(() => {
    for (const client of server.clients) {
      if (unanswered.has(client)) {
        client.terminate()
        continue
      }
      unanswered.add(client)
      client.once("pong", () => unanswered.delete(client))
      client.ping()
    }
  }).pipe(Effect.delay(pingEvery), Effect.forever, Effect.forkScoped)

  const allClosed = Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  return {
    handler,
    close: allClosed.pipe(
      Effect.timeoutOption(closeWithin),
      Effect.andThen(
        Effect.sync(() => {
          for (const client of server.clients) client.terminate()
        })
      )
    )
  } satisfies WebSockets
})
