/**
 * Slots for agent processes: so many and no more, shared fairly between apps.
 *
 * A slot belongs to a session from before its process is spawned until the kernel knows none of it any more. Whoever
 * waits longest goes first within an app; between apps the one that holds the fewest. To make room, the session that
 * has been idle longest is asked to hibernate before anybody waits.
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
     * A slot for a session, not before a time (milliseconds since 1970). One that is not urgent is refused where none is
     * free at once. Asking again while the session has one, or waits for one, is the same request. Interrupting it
     * gives the place in the line up.
     */
    readonly take: (request: {
      readonly session: SessionId
      readonly app: AppName
      readonly urgent: boolean
      readonly notBefore: number
    }) => Effect.Effect<SlotAnswer>
    readonly release: (session: SessionId) => void
    /** It has a process and nothing to do: it may be asked to hibernate. */
    readonly idle: (session: SessionId, hibernate: () => void) => void
    readonly busy: (session: SessionId) => void
    /** It retires, for whatever reason: its slot will be free soon. */
    readonly retiring: (session: SessionId) => void
    /** Refuses everybody from now on, and those who wait. */
    readonly drain: () => void
    readonly counts: () => { readonly held: number; readonly size: number; readonly waiting: number }
  }
>()("troupe/runtime/ProcessSlots") {
  static readonly layer = Layer.effect(
    ProcessSlots,
    Effect.gen(function* () {
      const size = (yield* RuntimeSettings).limits.maxProcesses
      const held = new Map<SessionId, AppName>()
      // Insertion order is the order of becoming idle: the first is the least recently used.
      const idle = new Map<SessionId, () => void>()
      let waiting: ReadonlyArray<Waiting> = []
      // Asked to hibernate, and not gone yet.
      const leaving = new Set<SessionId>()
      let draining = false

      const holdings = (app: AppName) => [...held.values()].filter((holder) => holder === app).length
      const next = () => {
        const firsts = new Map<AppName, Waiting>()
        for (const request of waiting) if (!firsts.has(request.app)) firsts.set(request.app, request)
        return [...firsts.values()].sort((a, b) => holdings(a.app) - holdings(b.app))[0]
      }
      const leave = (session: SessionId) => {
        waiting = waiting.filter((request) => request.session !== session)
      }

      const grant = () => {
        while (held.size < size) {
          const request = next()
          if (request === undefined) return
          leave(request.session)
          held.set(request.session, request.app)
          Deferred.doneUnsafe(request.answer, Effect.succeed<SlotAnswer>("granted"))
        }
        makeRoom()
      }

      /** One eviction per waiting request: more would put sessions to sleep for nobody. */
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
            if (held.has(session)) return "granted"
            if (held.size < size && waiting.length === 0) {
              held.set(session, app)
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
          held.delete(session)
          grant()
        },
        idle: (session, hibernate) => {
          idle.delete(session)
          idle.set(session, hibernate)
          makeRoom()
        },
        busy: (session) => {
          idle.delete(session)
          // A turn was quicker than the request to hibernate: somebody else has to make room.
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
        counts: () => ({ held: held.size, size, waiting: waiting.length })
      })
    })
  )
}
