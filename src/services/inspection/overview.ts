/** Many sessions at once, for the caller: rows with counts, pending approvals, and how often each transition was taken. */
import { Effect, Option, Schema, Semaphore } from "effect"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { SessionState } from "../../domain/Session.ts"
import type { Cost } from "../../domain/Cost.ts"
import { AppName, SessionId } from "../../domain/Ids.ts"
import { nameOf } from "../../domain/sessionName.ts"
import { parsePosition } from "../../ledger/Cursor.ts"
import { anySession, Ledger, sessionsSearched } from "../../ledger/Ledger.ts"
import type { OverviewQuery, SessionSummary, TransitionCount } from "../../ledger/Ledger.ts"
import { appFilter, sees } from "../../runtime/Caller.ts"
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

/** A session of a list. `null`: its agent reports no cost. */
export type ListedSession = SeenSession & { readonly cost: Cost | null }

export interface SessionsOverview {
  readonly sessions: ReadonlyArray<ListedSession>
  /** How many match. */
  readonly count: number
  /** The `cursor` of the next page. */
  readonly next: string | null
  /** Only the 10,000 open and the 10,000 closed sessions that were active last were looked at, and there are more. */
  readonly isBounded: boolean
  /** Of all sessions that the caller sees, whatever the query. */
  readonly stateCounts: Readonly<Record<SessionState, number>>
  /** Of the open ones. */
  readonly substateCounts: Readonly<Record<string, number>>
  /** Names that can be queried; `apps` is empty for an app. */
  readonly agents: ReadonlyArray<string>
  readonly apps: ReadonlyArray<string>
  /** Empty where this Troupe is alone. */
  readonly nodes: ReadonlyArray<string>
}

const isAppName = Schema.is(AppName)
const isSessionId = Schema.is(SessionId)

const isMoreThanSearched = (
  { state, substate }: Omit<SessionsQuery, "app">,
  { closed, idle, retiring, turning }: SessionsOverview["stateCounts"]
) => {
  const isClosed = state === "closed" || substate === "closed"
  const isEither = state === null && substate === null
  const isAsleep = state === "idle" || substate === "idle.asleep"
  return (
    ((isClosed || isEither) && closed > sessionsSearched) ||
    ((isEither || isAsleep) && idle + turning + retiring > sessionsSearched)
  )
}

const noSessions = { items: [], count: 0, next: null, isSearched: false }

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

  const withCosts = Effect.fnUntraced(function* (summaries: ReadonlyArray<SessionSummary>) {
    const sessions = yield* lookedAt(summaries)
    const costs = yield* ledger.costsOfSessions(sessions.map(({ id }) => id))
    return sessions.map((session): ListedSession => ({ ...session, cost: costs.get(session.id) ?? null }))
  })

  /** Those of them that the caller sees, in their order. */
  const rows = Effect.fnUntraced(function* (caller: Caller, ids: ReadonlyArray<string>) {
    const found = yield* ledger.summaries(ids.filter(isSessionId))
    const byId = new Map(
      found.filter((summary) => sees(caller, summary)).map((summary) => [summary.id as string, summary])
    )
    return yield* withCosts(ids.flatMap((id) => byId.get(id) ?? []))
  }, cannot("read the sessions"))

  const overview = Effect.fnUntraced(function* (caller: Caller, { app, ...query }: SessionsQuery) {
    if (query.cursor !== null && Option.isNone(parsePosition(query.cursor, query))) {
      return yield* new InvalidRequest({
        field: "cursor",
        problem: "must be a next_cursor of an earlier page of the same sort."
      })
    }
    const callerApp = appFilter(caller)
    const page =
      app === null
        ? yield* ledger.overview({ ...query, app: callerApp })
        : (callerApp === null || callerApp === app) && isAppName(app)
          ? yield* ledger.overview({ ...query, app })
          : noSessions
    const names = yield* ledger.agentsAndApps(callerApp)
    const stateCounts = yield* ledger.stateCounts(callerApp)
    const result: SessionsOverview = {
      sessions: yield* withCosts(page.items),
      count: page.count,
      next: page.next,
      isBounded: page.isSearched && isMoreThanSearched(query, stateCounts),
      stateCounts,
      substateCounts: yield* ledger.substateCounts(callerApp),
      agents: names.agents,
      apps: callerApp === null ? names.apps : [],
      nodes: yield* ledger.nodeNames
    }
    return result
  }, cannot("list the sessions"))

  const transitionCounts = Effect.fnUntraced(function* (caller: Caller, agent: string | null) {
    const sums = new Map<string, TransitionCount>()
    let steps = 0
    const query = { ...anySession, app: appFilter(caller), agent, limit: countedSessions }
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
    rows,
    /** What sessions are called by: for lists of something else. Absent are those that are gone. */
    names: (ids: ReadonlyArray<SessionId>) =>
      (ids.length === 0 ? Effect.succeed([]) : ledger.namedSessions([...new Set(ids)])).pipe(
        Effect.map((named): ReadonlyMap<string, string> => new Map(named.map((one) => [one.id, nameOf(one)]))),
        cannot("name the sessions")
      ),
    pendingApprovals: (caller: Caller, limit: number) =>
      ledger.inbox(appFilter(caller), limit).pipe(cannot("read the approvals")),
    transitionCounts: (caller: Caller, agent: string | null) => oneCount.withPermit(transitionCounts(caller, agent))
  }
})
