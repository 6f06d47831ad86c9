/**
 * News of sessions: told after each commit by whoever committed, heard by all who follow that session, or all sessions, in
 * every Troupe on the ledger.
 *
 * The ledger has everything; news say that there is something to read. Those of this process carry what was stored, so
 * that nobody reads it again. Where `stored` is `null` another Troupe stored it, or news may have got lost: whoever hears
 * them reads the ledger.
 *
 * A watcher is called synchronously after the commit, in the commits' order: it misses none, sees nothing that is not
 * stored, and must be quick, since the session waits for it. A session that nobody watches pays a lookup in a map.
 */
import { Context, Effect, FiberSet, Layer } from "effect"
import type { Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as NewsExchange from "./NewsExchange.ts"
import type { SessionLifecycle, SessionNews } from "./SessionNews.ts"

export type * from "./SessionNews.ts"

type Listener<A> = (notice: A) => void

export class News extends Context.Service<
  News,
  {
    /** To be called after the commit, once for each, in their order. */
    readonly tell: (news: SessionNews) => void
    /** A commit of the session may not have been told; `null`: of any, or the creation or removal of one. */
    readonly missed: (session: SessionId | null) => void
    readonly tellLifecycle: (lifecycle: SessionLifecycle) => void
    /** Until the scope closes. `null`: of all sessions. */
    readonly watch: (
      session: SessionId | null,
      listener: Listener<SessionNews>
    ) => Effect.Effect<void, never, Scope.Scope>
    /** The same; returns what ends it. */
    readonly watchUnsafe: (session: SessionId | null, listener: Listener<SessionNews>) => () => void
    /** Creations, removals, and that any may have been missed; returns what ends it. */
    readonly watchLifecycleUnsafe: (listener: Listener<SessionLifecycle>) => () => void
    readonly watchers: () => number
  }
>()("troupe/runtime/News") {
  static readonly layer = Layer.effect(
    News,
    Effect.gen(function* () {
      const run = yield* FiberSet.makeRuntime<never>()
      const listeners = new Map<SessionId | null, Set<Listener<SessionNews>>>()
      const lifecycleListeners = new Set<Listener<SessionLifecycle>>()

      /** What a listener throws costs neither another listener nor the session. */
      const callEach = <A>(called: ReadonlySet<Listener<A>> | undefined, session: SessionId | null, notice: A) => {
        if (called === undefined) return
        for (const listener of called) {
          try {
            listener(notice)
          } catch (error) {
            run(
              Effect.logError(`A watcher of ${session === null ? "all sessions" : `session ${session}`} threw`, error)
            )
          }
        }
      }

      const watchUnsafe = (session: SessionId | null, listener: Listener<SessionNews>) => {
        const ofSession = listeners.get(session) ?? new Set()
        listeners.set(session, ofSession)
        ofSession.add(listener)
        return () => {
          ofSession.delete(listener)
          if (ofSession.size === 0 && listeners.get(session) === ofSession) listeners.delete(session)
        }
      }

      const tellHere = (news: SessionNews) => {
        if (listeners.size === 0) return
        callEach(listeners.get(news.session), news.session, news)
        callEach(listeners.get(null), news.session, news)
      }

      const tellLifecycleHere = (lifecycle: SessionLifecycle) =>
        callEach(lifecycleListeners, lifecycle.what === "missed" ? null : lifecycle.record.id, lifecycle)

      const tell = (news: SessionNews) => {
        tellHere(news)
        exchange?.announce(news)
      }

      const missed = (session: SessionId | null) => {
        if (session !== null) return tell(unknown(session))
        for (const [watched, called] of listeners) {
          if (watched !== null) callEach(called, watched, unknown(watched))
        }
        tellLifecycleHere({ what: "missed" })
      }

      const { announcements } = yield* Ledger
      const exchange =
        announcements === null
          ? null
          : yield* NewsExchange.make(announcements, {
              told: tellHere,
              removed: (record) => tellLifecycleHere({ what: "removed", record }),
              missed: () => missed(null)
            })

      return News.of({
        tell,
        tellLifecycle: (lifecycle) => {
          tellLifecycleHere(lifecycle)
          exchange?.announceLifecycle(lifecycle)
        },
        missed,
        watch: (session, listener) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => watchUnsafe(session, listener)),
              (stop) => Effect.sync(stop)
            )
          ),
        watchUnsafe,
        watchLifecycleUnsafe: (listener) => {
          lifecycleListeners.add(listener)
          return () => void lifecycleListeners.delete(listener)
        },
        watchers: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0)
      })
    })
  )
}

/** It may have gone any way on. */
const unknown = (session: SessionId): SessionNews => ({
  session,
  step: 0,
  event: 0,
  stepped: true,
  settled: [],
  closed: false,
  stored: null
})
