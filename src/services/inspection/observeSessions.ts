/**
 * Commits of sessions as they happen: as rows for a table, or as they are, with the snapshots before and after.
 *
 * A listener is called inside the session's loop right after the commit, in the order of the commits, and misses none.
 * It must be quick and must not throw.
 */
import { Effect } from "effect"
import { infoOf } from "../../../machines/session/stateInfo.ts"
import { restore } from "../../../machines/session/machine.ts"
import { stateName } from "../../../machines/session/stateInfo.ts"
import type { StateName } from "../../../machines/session/stateInfo.ts"
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { SessionNotFound, Unavailable } from "../../domain/Refusal.ts"
import type { SessionRecord } from "../../domain/Session.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { SessionSummary } from "../../ledger/Ledger.ts"
import { sees } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { cannot } from "../../runtime/errors.ts"
import { News } from "../../runtime/News.ts"
import type { Committed, SessionLifecycle, SessionNews } from "../../runtime/News.ts"
import { SessionShared } from "../../runtime/SessionShared.ts"
import { Supervisor } from "../../supervision/Supervisor.ts"

/** A change of a session, with the row that the overview has of it from now on. Times are milliseconds since 1970. */
export type SessionChange =
  | {
      readonly _tag: "Stepped"
      readonly seq: number
      readonly at: number
      /** The event's type. */
      readonly event: string
      readonly from: StateName
      readonly to: StateName
      readonly summary: SessionSummary
    }
  | { readonly _tag: "Created"; readonly summary: SessionSummary }
  | { readonly _tag: "Removed"; readonly summary: SessionSummary }

/** A session as it was at one commit. */
export interface LoadedSession {
  readonly record: SessionRecord
  readonly snapshot: SessionSnapshot
}

/** Until the scope closes. Apart from `make`, since it needs neither the ledger nor any actor. */
export const makeChanges = Effect.gen(function* () {
  const news = yield* News

  return (caller: Caller, listener: (change: SessionChange) => void) => {
    const titles = new OpenApprovals()
    const onCommit = (committed: Committed) => {
      const { at, before, event, record, seq, snapshot } = committed
      if (!sees(caller, record)) return
      const summary = summaryAfter(committed, titles.oldestAfter(committed))
      listener({
        _tag: "Stepped",
        seq,
        at,
        event: event.type,
        from: stateName(before),
        to: stateName(snapshot),
        summary
      })
    }
    const onLifecycle = ({ record, what }: SessionLifecycle) => {
      if (!sees(caller, record)) return
      listener({ _tag: what === "removed" ? "Removed" : "Created", summary: summaryOfNew(record) })
    }
    return Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => [news.watchUnsafe(null, stepIn(onCommit)), news.watchLifecycleUnsafe(onLifecycle)]),
        (stops) => Effect.sync(() => stops.forEach((stop) => stop()))
      )
    )
  }
})

export const makeCommits = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { machine } = yield* SessionShared
  const news = yield* News
  const supervisor = yield* Supervisor

  /** Copies, since a view shows its session's next step too. */
  const loadedSessions = (caller: Caller): ReadonlyArray<LoadedSession> =>
    supervisor.views().flatMap(({ record, snapshot }) => (sees(caller, record) ? [{ record, snapshot }] : []))

  const snapshotOf = ({ id }: SessionRecord) =>
    Effect.suspend(() => {
      const loaded = supervisor.view(id)?.snapshot ?? null
      if (loaded !== null) return Effect.succeed(loaded)
      return Effect.flatMap(
        ledger.snapshot(id),
        (stored): Effect.Effect<SessionSnapshot, SessionNotFound | Unavailable> =>
          stored === null
            ? Effect.fail(new SessionNotFound({ id }))
            : Effect.try({
                try: () => restore(machine, stored),
                catch: (cause) => new Unavailable({ operation: "look at the session", cause })
              })
      )
    })

  return Effect.fnUntraced(function* (
    caller: Caller,
    session: SessionRecord | null,
    listener: (committed: Committed) => void
  ) {
    const onCommit = (committed: Committed) => {
      if (sees(caller, committed.record)) listener(committed)
    }
    // Synchronous on purpose: every commit is either in the snapshots that are returned, or reported to the listener.
    const { loaded } = yield* Effect.acquireRelease(
      Effect.sync(() => ({
        stop: news.watchUnsafe(session?.id ?? null, stepIn(onCommit)),
        loaded: session === null ? loadedSessions(caller) : []
      })),
      ({ stop }) => Effect.sync(stop)
    )
    return session === null ? loaded : [{ record: session, snapshot: yield* snapshotOf(session) }]
  }, cannot("look at the session"))
})

const stepIn =
  (onCommit: (committed: Committed) => void) =>
  ({ stored }: SessionNews) => {
    if (stored !== null && stored.step !== null) onCommit(stored.step)
  }

const summaryAfter = ({ next, record, since, snapshot }: Committed, asks: string | null): SessionSummary => {
  const { process, turn } = snapshot.context
  return { ...fieldsOf(record), turn, process, since, asks, next }
}

const summaryOfNew = (record: SessionRecord): SessionSummary => ({
  ...fieldsOf(record),
  turn: 0,
  process: false,
  since: record.createdAt,
  asks: null,
  next: null
})

/** Not the whole record: its metadata and system prompt may be large, and whoever observes keeps many summaries. */
const fieldsOf = (record: SessionRecord) => ({
  id: record.id,
  app: record.app,
  agent: record.agent,
  state: record.state,
  substate: record.substate,
  createdAt: record.createdAt,
  lastActivityAt: record.lastActivityAt,
  closedAt: record.closedAt,
  turnCount: record.turnCount,
  restarts: record.restarts,
  totalTokens: record.usage.totalTokens
})

/** The titles of pending approvals, of sessions in which any are open: a commit has only its own. */
class OpenApprovals {
  readonly #titles = new Map<SessionId, ReadonlyMap<string, string>>()

  /** The title of the oldest that is pending after this step; `null` where none is. */
  oldestAfter({ newApproval, record, snapshot }: Committed): string | null {
    if (infoOf(record.substate)?.tags.has("approvalsOpen") !== true) {
      this.#titles.delete(record.id)
      return null
    }
    const titles = new Map(this.#titles.get(record.id))
    if (newApproval !== null) titles.set(newApproval.id, newApproval.title)
    const { approvals } = snapshot.context
    for (const id of titles.keys()) if (!approvals.includes(id)) titles.delete(id)
    this.#titles.set(record.id, titles)
    return [...titles.values()][0] ?? null
  }
}
