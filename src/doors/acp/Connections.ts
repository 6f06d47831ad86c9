/**
 * The connections of remote clients: Streamable HTTP, whose requests name their connection, and WebSockets, which are one.
 *
 * Each caller has its own, so that nobody reaches another's by its id. A connection that nobody reads any more is ended.
 */
import { Clock, Context, Effect, Schema } from "effect"
import type { Duration } from "effect"
import { HttpServerResponse } from "effect/http"
import type { AcpServer } from "@agentclientprotocol/sdk/experimental/server"
import { TroupeError } from "../../backend/TroupeError.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import * as WebSockets from "../../http/WebSockets.ts"
import type { Caller } from "../../services/Sessions.ts"
import { answerWith } from "../route.ts"
import type { Arrival } from "../route.ts"
import { makeAgent } from "./agent.ts"
import type { Defaults } from "./requests.ts"
import { loadSdk, loadTransports } from "./sdk.ts"

const connectionHeader = "acp-connection-id"
/** Of one caller at a time. */
const mostConnections = 64
/** How long an HTTP connection is kept that is not used; a reader of its events is sent a comment every 15 s. */
export const Idle = Context.Reference<{ readonly millis: number; readonly lookEvery: Duration.Input }>(
  "troupe/doors/acp/Idle",
  { defaultValue: () => ({ millis: 5 * 60_000, lookEvery: "30 seconds" }) }
)
/** What is kept for a client that does not read, and for how long. */
export const Limits = Context.Reference("troupe/doors/acp/Limits", {
  defaultValue: () => ({ maxBufferedBytes: 16 * 1024 * 1024, maxOutputStallMs: 60_000, maxBufferedSessionStreams: 64 })
})

const tooMany = {
  code: "too_many_connections",
  status: 503,
  detail: `There may be ${mostConnections} connections of one app. End one by DELETE, or wait: those that nobody reads end after a while.`
} as const satisfies ProblemDetails

const notHere = {
  code: "websocket_only",
  status: 400,
  detail: "This server hands no WebSockets on to Troupe. Use Streamable HTTP at the same address."
} as const satisfies ProblemDetails

interface Callers {
  readonly server: AcpServer
  /** When each HTTP connection was used last. */
  readonly usedAt: Map<string, number>
  sockets: number
  /** Requests that may begin one. */
  beginning: number
}

const isFull = ({ beginning, sockets, usedAt }: Callers) => usedAt.size + sockets + beginning >= mostConnections

/** An app that has taken a revoked one's name is another caller. */
const keyOf = (caller: Caller) => (caller._tag === "App" ? `${caller.app}@${caller.since ?? 0}` : "")

export const make = Effect.gen(function* () {
  const callers = new Map<string, Callers>()
  const clock = yield* Clock.Clock
  const idle = yield* Idle
  const limits = yield* Limits
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const note = (line: string) => void runFork(Effect.logWarning(line))

  // Loaded where it is wanted: most servers have no such client.
  const packages = Effect.tryPromise({
    try: () => Promise.all([loadSdk(), loadTransports()]),
    catch: (cause): ProblemDetails => ({
      code: "not_supported",
      status: 422,
      detail: cause instanceof TroupeError ? cause.message : String(cause)
    })
  })

  const ofCaller = Effect.fnUntraced(function* (caller: Caller) {
    const [sdk, { AcpServer }] = yield* packages
    const key = keyOf(caller)
    let known = callers.get(key)
    if (known === undefined) {
      const createAgent = () => {
        throw new Error("Each connection brings its own.")
      }
      known = { server: new AcpServer({ createAgent, ...limits }), usedAt: new Map(), sockets: 0, beginning: 0 }
      callers.set(key, known)
    }
    return { sdk, known }
  })

  const overHttp = Effect.fnUntraced(function* (arrival: Arrival) {
    const { sdk, known } = yield* ofCaller(arrival.caller)
    const { server, usedAt } = known
    const { request } = arrival
    const id = request.headers[connectionHeader]
    const touch = (one: string | undefined) => {
      if (one !== undefined && usedAt.has(one)) usedAt.set(one, clock.currentTimeMillisUnsafe())
    }
    const mayBegin = id === undefined && request.method === "POST"
    if (mayBegin && isFull(known)) return yield* Effect.fail(tooMany)
    const defaults = yield* defaultsIn(request.url)
    const createAgent = () => makeAgent(sdk, { backend: arrival.backend, defaults, note })
    touch(id)
    if (mayBegin) known.beginning += 1
    return yield* answerWith(
      arrival,
      async (web) => {
        const response = await server.handleRequest(web, { createAgent })
        const opened = response.headers.get(connectionHeader)
        if (opened !== null) usedAt.set(opened, clock.currentTimeMillisUnsafe())
        if (id !== undefined && (request.method === "DELETE" || response.status === 404)) usedAt.delete(id)
        return response
      },
      { onPart: () => touch(id) }
    ).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          if (mayBegin) known.beginning -= 1
        })
      )
    )
  })

  const overWebSocket = Effect.fnUntraced(function* ({ accessEnds, backend, caller, closing, request }: Arrival) {
    const { sdk, known } = yield* ofCaller(caller)
    if (isFull(known)) return yield* Effect.fail(tooMany)
    const defaults = yield* defaultsIn(request.url)
    const upgrade = known.server.prepareWebSocketUpgrade({
      createAgent: () => makeAgent(sdk, { backend, defaults, note })
    })
    known.sockets += 1
    const served = Effect.gen(function* () {
      const socket = yield* WebSockets.accept(request, { [connectionHeader]: upgrade.connectionId })
      // The package would write a line for each such frame.
      socket.on("message", (_data, isBinary) => {
        if (!isBinary) return
        socket.removeAllListeners("message")
        socket.close(1003, "A message is text.")
      })
      upgrade.accept(socket)
      const closed = Effect.callback<void>((resume) => {
        socket.once("close", () => resume(Effect.void))
      })
      const revoked = accessEnds.pipe(
        Effect.catch(() => Effect.sync(() => socket.close(1008, "The token was revoked.")))
      )
      const stopping = Effect.andThen(
        closing,
        Effect.sync(() => socket.close(1001, "Troupe stops. Sessions go on when it is back."))
      )
      yield* Effect.raceFirst(closed, Effect.andThen(Effect.raceFirst(revoked, stopping), closed))
    })
    yield* served.pipe(
      Effect.scoped,
      Effect.catchTag("NoWebSocket", () => Effect.fail(notHere)),
      Effect.ensuring(
        Effect.sync(() => {
          known.sockets -= 1
          upgrade.reject()
        })
      )
    )
    return HttpServerResponse.empty()
  })

  const endUnread = Effect.sync(() => {
    const before = clock.currentTimeMillisUnsafe() - idle.millis
    for (const { server, usedAt } of callers.values()) {
      for (const [id, at] of usedAt) {
        if (at > before) continue
        usedAt.delete(id)
        void server.handleRequest(
          new Request("http://troupe/acp", { method: "DELETE", headers: { [connectionHeader]: id } })
        )
      }
    }
  })
  yield* endUnread.pipe(Effect.delay(idle.lookEvery), Effect.forever, Effect.forkScoped)
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.allSettled([...callers.values()].map(({ server }) => server.close())))
  )

  return (arrival: Arrival) =>
    arrival.request.method === "GET" && arrival.request.headers["upgrade"]?.toLowerCase() === "websocket"
      ? overWebSocket(arrival)
      : overHttp(arrival)
})

const isWord = Schema.is(PermissionPolicy)

/** `/acp?agent=codex&permissions=approve_edits`: for clients that are only given an address. */
const defaultsIn = (url: string): Effect.Effect<Defaults, ProblemDetails> => {
  const query = new URL(url, "http://troupe").searchParams
  const permissions = query.get("permissions") ?? "ask"
  if (!isWord(permissions)) {
    const detail = `permissions must be one of ${PermissionPolicy.literals.join(", ")}.`
    return Effect.fail({ code: "invalid_request", status: 400, detail })
  }
  const named = Object.fromEntries(
    (["agent", "model", "mode", "effort"] as const).flatMap((name) => {
      const value = query.get(name)
      return value === null ? [] : [[name, value]]
    })
  )
  return Effect.succeed({ ...named, permissions })
}
