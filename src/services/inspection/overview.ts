/** Many sessions at once, for the caller: rows with counts, pending approvals, and how often each transition was taken. */
import { Effect, Option, Schema, Semaphore } from "effect"
import { AppName } from "../../domain/Ids.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { SessionState } from "../../domain/Session.ts"
import { parseCursor } from "../../ledger/Cursor.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { OverviewQuery, SessionSummary, TransitionCount } from "../../ledger/Ledger.ts"
import { appFilter } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { cannot } from "../../runtime/errors.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { circuits, seen, unseen } from "./seenSession.ts"
import type { SeenSession } from "./seenSession.ts"

/** Transitions are counted over so many of the last active sessions, so many last steps of each, and so many in all. */
const countedSessions = 1_000
const countedStepsOfOne = 1_000
const countedSteps = 100_000

/** `null`: any. */
export interface SessionsQuery extends Omit<OverviewQuery, "app"> {
  /** Another app's name than the caller's, or none that an app can have, matches nothing. */
  readonly app: string | null
}

export interface SessionsOverview {
  /** The last active first. */
  readonly sessions: ReadonlyArray<SeenSession>
  /** How many match. */
  readonly count: number
  /** The `cursor` of the next page. */
  readonly next: string | null
  /** Of all sessions that the caller sees, whatever the query. */
  readonly stateCounts: Readonly<Record<SessionState, number>>
  /** Names that can be queried; `apps` is empty for an app. */
  readonly agents: ReadonlyArray<string>
  readonly apps: ReadonlyArray<string>
  /** Empty where this Troupe is alone. */
  readonly nodes: ReadonlyArray<string>
}

const isAppName = Schema.is(AppName)
const noSessions = { items: [], count: 0, next: null }

export const make = Effect.gen(function* () {
  const host = yield* SessionHost
  const ledger = yield* Ledger
  const oneCount = yield* Semaphore.make(1)
  const circuitOf = yield* circuits

  /** Only of a turn there is anything that the ledger does not have. */
  const lookedAt = Effect.fnUntraced(function* (summaries: ReadonlyArray<SessionSummary>) {
    const sessions = summaries.map((summary) => unseen(summary, circuitOf(summary.agent)))
    const turning = sessions.flatMap(({ id, state }) => (state === "turning" ? [id] : []))
    if (turning.length === 0) return sessions
    const looked = new Map((yield* host.look({ sessions: turning, parts: [] })).map((one) => [one.session, one]))
    return sessions.map((session) => seen(session, looked.get(session.id)))
  })

  const overview = Effect.fnUntraced(function* (caller: Caller, { app, ...query }: SessionsQuery) {
    if (query.cursor !== null && Option.isNone(parseCursor(query.cursor))) {
      return yield* new InvalidRequest({ field: "cursor", problem: "must be a next_cursor of an earlier page." })
    }
    const callerApp = appFilter(caller)
    const page =
      app === null
        ? yield* ledger.overview({ ...query, app: callerApp })
        : (callerApp === null || callerApp === app) && isAppName(app)
          ? yield* ledger.overview({ ...query, app })
          : noSessions
    const names = yield* ledger.agentsAndApps(callerApp)
    const result: SessionsOverview = {
      sessions: yield* lookedAt(page.items),
      count: page.count,
      next: page.next,
      stateCounts: yield* ledger.stateCounts(callerApp),
      agents: names.agents,
      apps: callerApp === null ? names.apps : [],
      nodes: yield* ledger.nodeNames
    }
    return result
  }, cannot("list the sessions"))

  const transitionCounts = Effect.fnUntraced(function* (caller: Caller, agent: string | null) {
    const sums = new Map<string, TransitionCount>()
    let steps = 0
    const query = {
      app: appFilter(caller),
      state: null,
      agent,
      node: null,
      search: null,
      cursor: null,
      limit: countedSessions
    }
    for (const { id } of (yield* ledger.overview(query)).items) {
      for (const count of yield* ledger.transitionCounts(id, Math.min(countedStepsOfOne, countedSteps - steps))) {
        const key = `${count.from} ${count.event} ${count.to}`
        sums.set(key, { ...count, n: count.n + (sums.get(key)?.n ?? 0) })
        steps += count.n
      }
      if (steps >= countedSteps) break
      // The ledger reads in this thread: between two sessions other fibers run.
      yield* Effect.yieldNow
    }
    const counts: ReadonlyArray<TransitionCount> = [...sums.values()].toSorted((a, b) => b.n - a.n)
    return counts
  }, cannot("count the steps"))

  return {
    overview,
    pendingApprovals: (caller: Caller, limit: number) =>
      ledger.inbox(appFilter(caller), limit).pipe(cannot("read the approvals")),
    transitionCounts: (caller: Caller, agent: string | null) => oneCount.withPermit(transitionCounts(caller, agent))
  }
})
