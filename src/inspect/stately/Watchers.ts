/**
 * The inspectors that are connected by Stately's protocol: how many there may be, and what each is sent.
 *
 * First every loaded session that its caller sees, or the one that was asked for; then each step, after its commit. A
 * session that is loaded later is introduced with its first step. So an inspector that joins late has a complete picture,
 * which stays correct through sleep, wake and a restart.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Socket } from "effect/socket"
import type { IncomingMessage } from "node:http"
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { Caller, ObservedStep } from "../../services/Inspection.ts"
import type { SessionId } from "../../domain/Ids.ts"
import type { SessionNotFound, Unavailable } from "../../domain/Refusal.ts"
import type { SessionRecord } from "../../domain/Session.ts"
import { accessEnds, lookEveryMillis } from "../../http/accessEnds.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { isWebSocket } from "../../http/WebSockets.ts"
import * as Messages from "./Messages.ts"
import * as SendQueue from "./SendQueue.ts"

/** In all, and of one app or the admin: an app that keeps connecting leaves places to the others. */
const mostInspectors = 32
const mostOfOneCaller = 8
/** Frames that are read and dropped: an inspector has no need to send any. */
const mostFrames = 256

const tooMany = {
  code: "too_many_inspectors",
  status: 503,
  detail: `There may be ${mostInspectors} inspectors at a time, and ${mostOfOneCaller} of one app. Close one, or look with the dashboard.`
} as const satisfies ProblemDetails

const noWebSocket = {
  code: "websocket_only",
  status: 400,
  detail: "This address is for a WebSocket: connect to it with an inspector of Stately's, or see /inspect/ for a page."
} as const satisfies ProblemDetails

const sendsTooMuch = new Socket.CloseEvent(1008, "This address only tells.")
const revoked = new Socket.CloseEvent(1008, "The token was revoked.")
const goingAway = new Socket.CloseEvent(1001, "Troupe stops. Sessions go on when it is back.")

export interface Watcher {
  readonly caller: Caller
  /** `null`: all that the caller sees. */
  readonly session: string | null
  /** Looks the caller's credential up anew; fails where it is no longer valid. */
  readonly again: Effect.Effect<unknown, ProblemDetails>
  /** Succeeds when the server stops. */
  readonly closing: Effect.Effect<void>
}

export class Watchers extends Context.Service<
  Watchers,
  {
    /** Serves the inspector until it disconnects or is closed. */
    readonly watch: (
      request: HttpServerRequest.HttpServerRequest,
      watcher: Watcher
    ) => Effect.Effect<void, typeof tooMany | typeof noWebSocket | SessionNotFound | Unavailable>
    readonly size: () => number
  }
>()("troupe/inspect/Watchers") {
  static readonly layer = Layer.effect(
    Watchers,
    Effect.gen(function* () {
      const inspection = yield* Inspection
      const clock = yield* Clock.Clock
      const messages = Messages.make()
      /** Connections by app; the admin's name is empty. */
      const connections = new Map<string, number>()
      const size = () => [...connections.values()].reduce((sum, n) => sum + n, 0)

      const countConnection = (name: string) =>
        Effect.acquireRelease(
          Effect.suspend(() => {
            const connected = connections.get(name) ?? 0
            if (connected >= mostOfOneCaller || size() >= mostInspectors) return Effect.fail(tooMany)
            return Effect.sync(() => connections.set(name, connected + 1))
          }),
          () =>
            Effect.sync(() => {
              const connected = connections.get(name) ?? 0
              if (connected > 1) connections.set(name, connected - 1)
              else connections.delete(name)
            })
        )

      const serve = Effect.fnUntraced(function* (
        { pull }: Socket.Reader,
        queue: SendQueue.SendQueue,
        only: SessionRecord | null,
        { again, caller, closing }: Watcher
      ) {
        const introduced = new Set<SessionId>()
        /** `null` where it was sent before, with a step that came first. */
        const introduce = (record: SessionRecord, snapshot: SessionSnapshot) => {
          if (introduced.has(record.id)) return null
          introduced.add(record.id)
          return messages.actor(record, snapshot, clock.currentTimeMillisUnsafe())
        }
        const onStep = (step: ObservedStep) => {
          const { before, record, snapshot } = step
          const first = introduce(record, before ?? snapshot)
          if (first !== null) queue.put(first)
          for (const text of messages.step(step)) queue.put(text)
          if (snapshot.status !== "active") introduced.delete(record.id)
        }
        const sessions = yield* Effect.orDie(inspection.observeCommits(caller, only, onStep))
        const first = function* () {
          for (const { record, snapshot } of sessions) {
            const text = introduce(record, snapshot)
            if (text !== null) yield text
          }
        }
        let frames = 0
        const reading = Effect.map(pull, ({ length }) => (frames += length)).pipe(
          Effect.repeat({ until: () => frames > mostFrames }),
          Effect.as(sendsTooMuch)
        )
        return yield* Effect.raceAllFirst([
          queue.write(first()),
          reading,
          accessEnds(again).pipe(
            Effect.delay(lookEveryMillis),
            Effect.catch(() => Effect.succeed(revoked))
          ),
          Effect.as(closing, goingAway)
        ])
      })

      const watch = Effect.fn("Watchers.watch")(function* (
        request: HttpServerRequest.HttpServerRequest,
        watcher: Watcher
      ) {
        const incoming = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage
        if (!isWebSocket(incoming)) return yield* Effect.fail(noWebSocket)
        const { caller, session } = watcher
        yield* countConnection(caller._tag === "App" ? caller.app : "")
        const only = session === null ? null : yield* inspection.find(caller, session)
        // A server that passes no upgrades on has answered it as a plain request.
        const socket = yield* Effect.mapError(request.upgrade, () => noWebSocket)
        yield* Effect.gen(function* () {
          const reader = yield* socket.reader
          const writer = yield* socket.writer
          const slow = yield* Deferred.make<Socket.CloseEvent>()
          const queue = SendQueue.make(writer, incoming.socket, slow)
          const ended = yield* Effect.raceFirst(serve(reader, queue, only, watcher), Deferred.await(slow))
          yield* Effect.logDebug(`An inspector was closed with ${ended.code}: ${ended.reason}`)
          yield* writer.write(ended)
          // The inspector has disconnected, however that happened.
        }).pipe(Effect.catchTag("SocketError", () => Effect.void))
      }, Effect.scoped)

      return Watchers.of({ watch, size })
    })
  )
}
