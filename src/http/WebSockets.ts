/**
 * WebSockets, for the routes that ask for one: the handshake, pings, and the close.
 *
 * The routes decide what is sent. Common to all: small frames from the client (but by `accept`), a ping every 30 s that finds a client
 * which disappeared without a close, and no connection left when the server has closed.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Schema } from "effect"
import type { Scope } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { IncomingMessage } from "node:http"
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

/** What an upgrade came with, until it is answered. */
interface Arriving {
  readonly socket: Duplex
  readonly head: Buffer
  readonly server: NodeWS.WebSocketServer
}
const arriving = new WeakMap<IncomingMessage, Arriving>()
const headersOf = new WeakMap<IncomingMessage, Readonly<Record<string, string>>>()

/** The request is none, or came through a server that hands none on. */
export class NoWebSocket extends Schema.TaggedError<NoWebSocket>()("NoWebSocket", {}) {}

/**
 * The connection itself, for a route whose protocol is spoken by a package of its own: frames as long as a body may be, and
 * headers in the handshake. The route goes on until the socket is closed.
 */
export const accept = (
  { source }: HttpServerRequest.HttpServerRequest,
  headers: Readonly<Record<string, string>>
): Effect.Effect<NodeWS.WebSocket, NoWebSocket, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<NodeWS.WebSocket, NoWebSocket>((resume) => {
      const found = source instanceof IncomingMessage ? arriving.get(source) : undefined
      if (found === undefined || found.socket.destroyed) return resume(Effect.fail(new NoWebSocket()))
      const { head, server, socket } = found
      const request = source as IncomingMessage
      // A handshake that is refused never calls back.
      const refused = () => resume(Effect.fail(new NoWebSocket()))
      socket.once("close", refused)
      headersOf.set(request, headers)
      server.handleUpgrade(request, socket, head, (accepted) => {
        socket.off("close", refused)
        resume(Effect.succeed(accepted))
      })
    }),
    (socket) => Effect.sync(() => socket.close())
  )

/** Other upgrades, such as `h2c`, are answered as plain requests: a server may ignore an offer. */
export const isWebSocket = ({ headers, method }: IncomingMessage): boolean =>
  method === "GET" && headers.upgrade?.toLowerCase() === "websocket"

export const make = Effect.fnUntraced(function* <E>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>,
  requests: Scope.Scope,
  longestMessage: number
) {
  const serverOf = (maxPayload: number) =>
    new NodeWS.WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
  const server = serverOf(longestFrame)
  const accepting = serverOf(longestMessage)
  accepting.on("headers", (lines, request) => {
    for (const [name, value] of Object.entries(headersOf.get(request) ?? {})) lines.push(`${name}: ${value}`)
  })
  const upgraded = yield* NodeHttpServer.makeUpgradeHandler(Effect.succeed(server), app, { scope: requests })
  const handler: WebSockets["handler"] = (request, socket, head) => {
    arriving.set(request, { socket, head, server: accepting })
    upgraded(request, socket, head)
  }
  const clients = () => [...server.clients, ...accepting.clients]

  const unanswered = new WeakSet<NodeWS.WebSocket>()
  yield* Effect.sync(() => {
    for (const client of clients()) {
      if (unanswered.has(client)) {
        client.terminate()
        continue
      }
      unanswered.add(client)
      client.once("pong", () => unanswered.delete(client))
      client.ping()
    }
  }).pipe(Effect.delay(pingEvery), Effect.forever, Effect.forkScoped)

  const allClosed = Effect.forEach(
    [server, accepting],
    (one) => Effect.callback<void>((resume) => one.close(() => resume(Effect.void))),
    { concurrency: 2, discard: true }
  )
  return {
    handler,
    close: allClosed.pipe(
      Effect.timeoutOption(closeWithin),
      Effect.andThen(
        Effect.sync(() => {
          for (const client of clients()) client.terminate()
        })
      )
    )
  } satisfies WebSockets
})
