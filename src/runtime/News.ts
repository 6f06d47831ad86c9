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
import { Clock, Context, Effect, FiberSet, Layer } from "effect"
import type { Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as Alarms from "./Alarms.ts"
import * as NewsExchange from "./NewsExchange.ts"
import * as Readers from "./Readers.ts"
import type { EventWriter } from "./Readers.ts"
import type { SessionLifecycle, SessionNews } from "./SessionNews.ts"
import { addMember, countMembers } from "./membersByKey.ts"

export type * from "./SessionNews.ts"

/** More of them that move at once are not named each: whoever shows sessions reads all anew. */
const mostNamed = 20

type Listener<A> = (notice: A) => void

export class News extends Context.Service<
  News,
  {
    /** To be called after the commit, once for each, in their order. */
    readonly tell: (news: SessionNews) => void
    /** A commit of the session may not have been told; `null`: of any, or the creation or removal of one. */
    readonly missed: (session: SessionId | null) => void
    /** These have another owner, or none any more: that is no step of theirs. */
    readonly moved: (sessions: ReadonlyArray<SessionId>) => void
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

    /** Counts as a reader of the session's events until the scope closes: they are stored within 50 ms, and not 1 s. */
    readonly read: (session: SessionId) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Counts as a reader for 15 s, for what reads a running turn once. Returns when what its agent has said is stored, where
     * this Troupe works on the session; where another one does, at once.
     */
    readonly look: (session: SessionId) => Effect.Effect<void>
    /** Somebody reads the session's events, at any Troupe on the ledger, or that is not known. */
    readonly isRead: (session: SessionId) => boolean
    /** Registers the one that stores the session's events at this Troupe, until the scope closes. */
    readonly writer: (session: SessionId, writer: EventWriter) => Effect.Effect<void, never, Scope.Scope>
    /** As of `Readers`. */
    readonly wakeWriter: Readers.Readers["wakeWriter"]
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

      const watchUnsafe = (session: SessionId | null, listener: Listener<SessionNews>) =>
        addMember(listeners, session, listener)

      const watch = (session: SessionId | null, listener: Listener<SessionNews>) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => watchUnsafe(session, listener)),
            (stop) => Effect.sync(stop)
          )
        )

      const tellHere = (news: SessionNews) => {
        if (listeners.size === 0) return
        callEach(listeners.get(news.session), news.session, news)
        callEach(listeners.get(null), news.session, news)
      }

      const tellLifecycleHere = (lifecycle: SessionLifecycle) =>
        callEach(lifecycleListeners, "record" in lifecycle ? lifecycle.record.id : null, lifecycle)

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

      const ledger = yield* Ledger
      const { announcements } = ledger
      const readers = Readers.make(yield* Clock.Clock, yield* Alarms.make, (session) =>
        exchange?.announceReader(session)
      )
      const exchange: NewsExchange.NewsExchange | null =
        announcements === null
          ? null
          : yield* NewsExchange.make(announcements, {
              told: tellHere,
              removed: (record) => tellLifecycleHere({ what: "removed", record }),
              moved: () => tellLifecycleHere({ what: "moved" }),
              missed: () => missed(null),
              read: readers.look,
              readHere: readers.here
            })

      const tellLifecycle = (lifecycle: SessionLifecycle) => {
        tellLifecycleHere(lifecycle)
        exchange?.announceLifecycle(lifecycle)
      }

      return News.of({
        tell,
        tellLifecycle,
        moved: (sessions) => {
          if (sessions.length > mostNamed) tellLifecycle({ what: "moved" })
          else sessions.forEach(missed)
        },
        missed,
        watch,
        read: readers.enter,
        look: (session) =>
          Effect.suspend(() => {
            readers.look(session)
            return ledger.away() === null ? readers.flush(session) : Effect.void
          }),
        isRead: (session) => announcements?.isHearing() === false || readers.isRead(session),
        writer: readers.writer,
        wakeWriter: readers.wakeWriter,
        watchUnsafe,
        watchLifecycleUnsafe: (listener) => {
          lifecycleListeners.add(listener)
          return () => void lifecycleListeners.delete(listener)
        },
        watchers: () => countMembers(listeners)
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
