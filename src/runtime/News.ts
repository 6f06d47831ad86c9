/**
 * News of sessions: told after each commit by whoever committed, heard by all who follow that session, or all sessions.
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
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"

export interface SessionNews {
  readonly session: SessionId
  /** The numbers of its last stored step and event; 0: none, or not known. */
  readonly step: number
  readonly event: number
  /** There is a new step, and not only events. */
  readonly stepped: boolean
  /** The turns whose outcome was stored. */
  readonly settled: ReadonlyArray<number>
  /** The session is closed: this is its last step. */
  readonly closed: boolean
  /** `null`: the ledger has it, and maybe more than the other fields say. */
  readonly stored: Stored | null
}

/** What one commit of this process stored. */
export interface Stored {
  /** In order of `seq`. */
  readonly events: ReadonlyArray<StoredEvent>
  /** `null` where it held only events. */
  readonly step: Committed | null
}

export interface Committed {
  readonly record: SessionRecord
  readonly seq: number
  readonly at: number
  readonly event: SessionEvent
  readonly before: SessionSnapshot
  readonly snapshot: SessionSnapshot
  /** When the session entered its present state. */
  readonly since: number
  readonly next: NextTimer | null
  /** The approval that this step requested. */
  readonly newApproval: Pick<ApprovalRecord, "id" | "title"> | null
}

/** A timer of a session that is stored in the ledger, and when it is due, in milliseconds since 1970. */
export interface NextTimer {
  readonly timer: string
  readonly dueAt: number
}

/** What is left of a deleted session: enough to tell who saw it. */
export type RemovedSession = Pick<SessionRecord, "id" | "app" | "createdAt">

/** A session was created or deleted, which is no step of its machine; or anything may have happened to any of them. */
export type SessionLifecycle =
  | { readonly what: "created"; readonly record: SessionRecord }
  | { readonly what: "removed"; readonly record: RemovedSession }
  | { readonly what: "missed" }

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

      const tell = (news: SessionNews) => {
        if (listeners.size === 0) return
        callEach(listeners.get(news.session), news.session, news)
        callEach(listeners.get(null), news.session, news)
      }

      return News.of({
        tell,
        missed: (session) => {
          if (session !== null) return tell(unknown(session))
          for (const [watched, called] of listeners) {
            if (watched !== null) callEach(called, watched, unknown(watched))
          }
          callEach(lifecycleListeners, null, { what: "missed" })
        },
        tellLifecycle: (lifecycle) =>
          callEach(lifecycleListeners, lifecycle.what === "missed" ? null : lifecycle.record.id, lifecycle),
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
