/**
 * Slots for agent processes: a fixed number, shared fairly between apps.
 *
 * A session holds its slot from before its process is spawned until the kernel has nothing of that process left. The app
 * that holds the fewest slots is served first, and within an app the request that has waited longest. While requests
 * wait, the sessions that have been idle longest are asked to hibernate.
 */
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import type { AppName, SessionId } from "../domain/Ids.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

export type SlotAnswer = "granted" | "refused"

interface Waiting {
  readonly app: AppName
  readonly session: SessionId
  readonly answer: Deferred.Deferred<SlotAnswer>
}

export class ProcessSlots extends Context.Service<
  ProcessSlots,
  {
    /**
     * Requests a slot for a session, not before `notBefore` (milliseconds since 1970). A request that is not urgent is
     * refused where no slot is free at once. A session that has a slot is granted it again; a second request replaces one
     * that waits. Interrupting the effect withdraws the request.
     */
    readonly take: (request: {
      readonly session: SessionId
      readonly app: AppName
      readonly urgent: boolean
      readonly notBefore: number
    }) => Effect.Effect<SlotAnswer>
    readonly release: (session: SessionId) => void
    /** The session has a process and nothing to do: `hibernate` may be called, to free its slot. */
    readonly idle: (session: SessionId, hibernate: () => void) => void
    readonly busy: (session: SessionId) => void
    /** The session retires its process, for whatever reason: its slot will be free soon. */
    readonly retiring: (session: SessionId) => void
    /** Refuses every request from now on, and those that wait. */
    readonly drain: () => void
    readonly counts: () => { readonly held: number; readonly size: number; readonly waiting: number }
  }
>()("troupe/runtime/ProcessSlots") {
  static readonly layer = Layer.effect(
    ProcessSlots,
    Effect.gen(function* () {
      const size = (yield* RuntimeSettings).limits.maxProcesses
      const holders = new Map<SessionId, AppName>()
      // Insertion order is the order of becoming idle: the first is the least recently used.
      const idle = new Map<SessionId, () => void>()
      let waiting: ReadonlyArray<Waiting> = []
      // Sessions that were asked to hibernate, or retire, and still hold their slots.
      const leaving = new Set<SessionId>()
      let draining = false

      const holdings = (app: AppName) => [...holders.values()].filter((holder) => holder === app).length
      const next = () => {
        const firsts = new Map<AppName, Waiting>()
        for (const request of waiting) if (!firsts.has(request.app)) firsts.set(request.app, request)
        return [...firsts.values()].sort((a, b) => holdings(a.app) - holdings(b.app))[0]
      }
      const leave = (session: SessionId) => {
        waiting = waiting.filter((request) => request.session !== session)
      }

      const grant = () => {
        while (holders.size < size) {
          const request = next()
          if (request === undefined) return
          leave(request.session)
          holders.set(request.session, request.app)
          Deferred.doneUnsafe(request.answer, Effect.succeed<SlotAnswer>("granted"))
        }
        makeRoom()
      }

      /** One eviction per waiting request: more would hibernate sessions for no request. */
      const makeRoom = () => {
        for (const [session, hibernate] of idle) {
          if (leaving.size >= waiting.length) return
          idle.delete(session)
          leaving.add(session)
          hibernate()
        }
      }

      return ProcessSlots.of({
        take: ({ app, notBefore, session, urgent }) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            if (notBefore > now) yield* Effect.sleep(notBefore - now)
            if (draining) return "refused"
            if (holders.has(session)) return "granted"
            if (holders.size < size && waiting.length === 0) {
              holders.set(session, app)
              return "granted"
            }
            if (!urgent) return "refused"
            leave(session)
            const answer = yield* Deferred.make<SlotAnswer>()
            waiting = [...waiting, { app, session, answer }]
            grant()
            return yield* Deferred.await(answer)
          }).pipe(Effect.onInterrupt(() => Effect.sync(() => leave(session)))),
        release: (session) => {
          leave(session)
          idle.delete(session)
          leaving.delete(session)
          holders.delete(session)
          grant()
        },
        idle: (session, hibernate) => {
          idle.delete(session)
          idle.set(session, hibernate)
          makeRoom()
        },
        busy: (session) => {
          idle.delete(session)
          // A turn came before the request to hibernate: another session has to make room.
          if (leaving.delete(session)) makeRoom()
        },
        retiring: (session) => {
          idle.delete(session)
          leaving.add(session)
        },
        drain: () => {
          draining = true
          for (const { answer } of waiting) Deferred.doneUnsafe(answer, Effect.succeed<SlotAnswer>("refused"))
          waiting = []
        },
        counts: () => ({ held: holders.size, size, waiting: waiting.length })
      })
    })
  )
}
