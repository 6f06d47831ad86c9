/** `GET sessions`, `approvals` and `coverage`: what the caller sees of all sessions. */
import { Effect, Option, Schema, Semaphore } from "effect"
import { cannot } from "../../runtime/errors.ts"
import { appFilter } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { AppName } from "../../domain/Ids.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { SessionState } from "../../domain/Session.ts"
import { parseCursor } from "../../ledger/Cursor.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { OverviewQuery, TransitionCount } from "../../ledger/Ledger.ts"
import type { Approvals, Coverage, SessionRows } from "../contract.ts"
import { approvalDto } from "../detail/dto.ts"
import { rowOf } from "../row.ts"
import { get, integerOf, routes } from "./route.ts"

const rows = { least: 1, most: 500, otherwise: 100 }
const longestText = 200
/** More than that waits for nobody in particular; the page says that there are more. */
const mostApprovals = 500
/** Coverage looks at so many of the last active sessions, at so many last steps of each, and no further than this in all. */
const coveredSessions = 1_000
const coveredOfOne = 1_000
const coveredSteps = 100_000

export const layer = routes(
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const covering = yield* Semaphore.make(1)

    const sessions = Effect.fnUntraced(function* (caller: Caller, query: URLSearchParams) {
      const own = appFilter(caller)
      const asked = textOf(query, "app")
      const overview: OverviewQuery = {
        app: own ?? (asked === null ? null : AppName.make(asked)),
        state: yield* stateOf(query),
        agent: textOf(query, "agent"),
        search: textOf(query, "q"),
        cursor: yield* cursorOf(query),
        limit: yield* integerOf(query, "limit", rows)
      }
      // Another app's are none, as if that app had never been.
      const isForeign = own !== null && asked !== null && asked !== own
      const page = isForeign ? { items: [], count: 0, next: null } : yield* ledger.overview(overview)
      const names = yield* ledger.agentsAndApps(own)
      return {
        ok: true,
        count: page.count,
        counts: yield* ledger.stateCounts(own),
        agents: names.agents,
        apps: own === null ? names.apps : [],
        sessions: page.items.map(rowOf),
        next_cursor: page.next
      } satisfies SessionRows
    }, cannot("list the sessions"))

    const coverage = Effect.fnUntraced(function* (caller: Caller, agent: string | null) {
      const sum = new Map<string, TransitionCount>()
      let seen = 0
      const query = { app: appFilter(caller), state: null, agent, search: null, cursor: null, limit: coveredSessions }
      for (const { id } of (yield* ledger.overview(query)).items) {
        for (const taken of yield* ledger.transitionCounts(id, Math.min(coveredOfOne, coveredSteps - seen))) {
          const key = `${taken.from} ${taken.event} ${taken.to}`
          sum.set(key, { ...taken, n: taken.n + (sum.get(key)?.n ?? 0) })
          seen += taken.n
        }
        if (seen >= coveredSteps) break
        // Reading is done in this thread: between two sessions whoever else waits has a turn.
        yield* Effect.yieldNow
      }
      return { ok: true, taken: [...sum.values()].toSorted((a, b) => b.n - a.n) } satisfies Coverage
    }, cannot("count the steps"))

    return [
      get("/sessions", ({ caller, query }) => sessions(caller, query)),
      get("/approvals", ({ caller }) =>
        ledger.inbox(appFilter(caller), mostApprovals).pipe(
          Effect.map((list): Approvals => ({ ok: true, approvals: list.map((one) => approvalDto(one, one)) })),
          cannot("read the approvals")
        )
      ),
      get("/coverage", ({ caller, query }) => covering.withPermit(coverage(caller, textOf(query, "agent"))))
    ]
  })
)

/** `null` where it is not asked for, or empty as a form sends it. */
const textOf = (query: URLSearchParams, name: string): string | null => {
  const text = query.get(name)?.trim().slice(0, longestText)
  return text === undefined || text === "" ? null : text
}

const isState = Schema.is(SessionState)

const stateOf = (query: URLSearchParams): Effect.Effect<SessionState | null, InvalidRequest> => {
  const state = textOf(query, "state")
  return state === null || isState(state)
    ? Effect.succeed(state)
    : Effect.fail(
        new InvalidRequest({ field: "state", problem: `must be one of ${SessionState.literals.join(", ")}.` })
      )
}

const cursorOf = (query: URLSearchParams): Effect.Effect<string | null, InvalidRequest> => {
  const cursor = query.get("cursor")
  return cursor === null || Option.isSome(parseCursor(cursor))
    ? Effect.succeed(cursor)
    : Effect.fail(new InvalidRequest({ field: "cursor", problem: "must be a next_cursor of an earlier page." }))
}
