/**
 * The server: the API's routes behind the middleware, on a port that opens when the runtime is ready and closes gently.
 *
 * The services are built before this layer (they are its requirements), so recovery is complete when the port opens. On
 * shutdown no new connection is accepted, event streams are ended, and running requests may finish for a while.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { HttpServer } from "effect/http"
import { createServer } from "node:http"
import type { Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type { ErrorCode } from "./contract/codes.ts"
import { logUnreadable } from "./logAnswer.ts"
import { problemJson } from "./problems.ts"
import { requestIdOf } from "./RequestId.ts"
import { middleware } from "./middleware.ts"
import type { MiddlewareOptions } from "./middleware.ts"
import { Streams } from "./Streams.ts"
import { routed } from "./routed.ts"
import type { ExtraRoutes } from "./routed.ts"
import * as WebSockets from "./WebSockets.ts"

export { routes, routesWith } from "./mount.ts"
export type { MountOptions } from "./mount.ts"
export type { ExtraRoutes, HttpServices } from "./routed.ts"

export interface HttpOptions extends MiddlewareOptions {
  readonly host: string
  /** 0 picks a free one; `HttpServer.HttpServer`'s `address` tells which. */
  readonly port: number
  /** Ends the wait for accepted requests when the server closes. Absent: it lasts as long as it may. */
  readonly hurry?: Effect.Effect<void>
}

/** How long accepted requests may run on when the server closes; turns were drained before. */
const closeWithin = "10 seconds"
const connectionLimit = 8_192
/** Longer than proxies keep idle connections: otherwise one could be closed here while the proxy sends a request on it. */
const keepAliveMillis = 75_000

/** Listens as soon as it is built. `extra` adds other routes, such as the dashboard's, behind the same middleware. */
export const layerWith = (options: HttpOptions, extra: ExtraRoutes) =>
  Layer.effect(
    HttpServer.HttpServer,
    Effect.gen(function* () {
      const app = yield* routed("", extra)
      const streams = yield* Streams
      const scope = yield* Effect.scope
      const requests = Scope.forkUnsafe(scope, "parallel")
      const handled = middleware(app, options)
      const makeHandler = NodeHttpServer.makeHandler(handled, { scope: requests })
      const handler = yield* Effect.updateContext(makeHandler, withDepth<Effect.Services<typeof makeHandler>>)
      const sockets = yield* WebSockets.make(handled, requests, options.maxBodyBytes)

      const node = createServer({
        keepAliveTimeout: keepAliveMillis,
        shouldUpgradeCallback: WebSockets.isWebSocket
      })
      node.maxConnections = connectionLimit
      // Registered before the server listens: a request that came in between would never be answered.
      const answering = new Set<ServerResponse>()
      node.on("request", (_request, response) => {
        answering.add(response)
        response.once("close", () => answering.delete(response))
      })
      node.on("request", handler)
      node.on("upgrade", sockets.handler)
      const runFork = Effect.runForkWith(yield* Effect.context<never>())
      node.on("clientError", (error, socket) => {
        const told = answerUnreadable(error, socket)
        if (told !== null) runFork(told)
      })
      const server = yield* NodeHttpServer.make(() => node, { host: options.host, port: options.port })
      yield* Effect.addFinalizer(() =>
        closeGently(node, allAnswered(answering), options.hurry ?? Effect.never, requests, streams.close, sockets.close)
      )
      return server
    })
  ).pipe(Layer.provide(Streams.layer))

/**
 * A request is given a dozen services besides the server's. Effect copies them all, the server's too, when more than eight
 * are put in front of them one by one.
 */
const withDepth = <R>(services: Context.Context<R>): Context.Context<R> =>
  Context.makeUnsafe(new Map(services.mapUnsafe), { maxDepth: 16 })

export const layer = (options: HttpOptions) => layerWith(options, Layer.empty)

/** Waits for responses and not for connections: a client may hold one that it has never used, as browsers do. */
const closeGently = Effect.fnUntraced(function* (
  node: Server,
  answered: Effect.Effect<void>,
  hurry: Effect.Effect<void>,
  requests: Scope.Closeable,
  endStreams: Effect.Effect<void>,
  endSockets: Effect.Effect<void>
) {
  // A stream ends by itself only with its session, so waiting for it could take for ever.
  yield* endStreams
  node.close()
  yield* answered.pipe(Effect.raceFirst(hurry), Effect.timeoutOption(closeWithin))
  yield* Scope.close(requests, Exit.void)
  yield* endSockets
  node.closeAllConnections()
})

const allAnswered = Effect.fnUntraced(function* (answering: ReadonlySet<ServerResponse>) {
  for (let [one] = answering; one !== undefined; [one] = answering) {
    const response = one
    yield* Effect.callback<void>((resume) => {
      const closed = () => resume(Effect.void)
      response.once("close", closed)
      return Effect.sync(() => response.off("close", closed))
    })
  }
})

/**
 * Bytes that Node could not read as HTTP make no request; the socket gets a whole response with a problem all the same.
 * Returns the log's line of it.
 */
const answerUnreadable = (error: Error & { readonly code?: string }, socket: Duplex): Effect.Effect<void> | null => {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy()
    return null
  }
  const { code, detail, line } = unreadableByCode[error.code ?? ""] ?? unreadable
  const requestId = requestIdOf(undefined)
  const status = Number.parseInt(line, 10)
  const body = problemJson({ code, status, detail }, requestId)
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`
  )
  return Effect.annotateLogs(logUnreadable({ code, status }), "request_id", requestId)
}

interface Unreadable {
  readonly line: string
  readonly code: ErrorCode
  readonly detail: string
}

const unreadable: Unreadable = {
  line: "400 Bad Request",
  code: "invalid_request",
  detail: "This is not HTTP/1.1 that can be read."
}

const unreadableByCode: Readonly<Record<string, Unreadable>> = {
  HPE_HEADER_OVERFLOW: {
    line: "431 Request Header Fields Too Large",
    code: "headers_too_large",
    detail: "The headers of a request may have 16 KiB."
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    line: "408 Request Timeout",
    code: "request_timeout",
    detail: "The request did not come to its end in time."
  }
}
