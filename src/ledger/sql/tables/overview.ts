/**
 * Summaries of sessions for the dashboard, each with what its session waits for, sorted and filtered.
 *
 * One index has the open sessions by their last activity, another the closed ones by the time they closed, which was
 * their last activity. A page merges the first rows of both, found by key. Only the last active sessions are searched, filtered
 * by what no index has, and sorted by anything else, so that a query does not cost more for a longer history.
 */
import { Effect, Option } from "effect"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import { parsePosition, positionOf } from "../../Cursor.ts"
import { LedgerError } from "../../LedgerError.ts"
import { sessionsSearched } from "../../LedgerQuery.ts"
import type { OverviewPage, OverviewQuery, SessionSummary } from "../../LedgerQuery.ts"
import type { Database } from "../Database.ts"
import * as Counts from "./counts.ts"
import { directionOf, lastActive, matching, neededBy, rankOf } from "./overviewQuery.ts"
import type { Fragment, Position } from "./overviewQuery.ts"
import { namedOf, selectNamed, selectSummaries, summaryOf } from "./summaries.ts"
import type { SummaryRow } from "./summaries.ts"

/** How many of the newest sessions name the agents that can be filtered by. */
const sessionsNamingAgents = 5_000

interface Ranked {
  readonly rank: number
  readonly summary: SessionSummary
}

type RankedRow = SummaryRow & { readonly rank: number }

const rankedOf = (row: RankedRow): Ranked => ({ rank: row.rank, summary: summaryOf(row) })

export const reads = (db: Database) => {
  const selectSummary = selectSummaries(db.dialect)
  const { count: stored, stateCounts, substateCounts } = Counts.reads(db)

  const overview = Effect.fnUntraced(function* (query: OverviewQuery) {
    const from = query.cursor === null ? null : parsePosition(query.cursor, query)
    if (from !== null && Option.isNone(from)) {
      return yield* new LedgerError({
        operation: "list the sessions",
        cause: "the cursor is none of this ledger's",
        kind: "refused"
      })
    }
    const after = from === null ? null : from.value
    // One more than the page shows whether another page follows.
    const limit = query.limit + 1
    const match = matching(db.dialect, query)
    const whole = match === null ? indexed(query, after, limit) : null
    const { count, rows } =
      whole === null
        ? yield* ranked(query, match, after, limit)
        : yield* Effect.all({ rows: listed(query, whole, limit), count: countOf(query) })
    const items = rows.slice(0, query.limit)
    const last = items.at(-1)
    const next =
      rows.length > query.limit && last !== undefined
        ? positionOf({ rank: last.rank, id: last.summary.id }, query)
        : null
    const result: OverviewPage = {
      items: items.map(({ summary }) => summary),
      count,
      next,
      isSearched: whole === null
    }
    return result
  })

  const countOf = ({ app, state, substate }: OverviewQuery) =>
    substate === null
      ? stored(app, state)
      : substate === "closed"
        ? stored(app, "closed")
        : Effect.map(substateCounts(app), (counts) => counts[substate] ?? 0)

  /** What is sorted as an index has it; `null`: no index does. */
  const indexed = (query: OverviewQuery, after: Position | null, limit: number): Fragment | null => {
    const { app, sort, state, substate } = query
    if (sort === "activity") return lastActive(db.dialect, query, after, limit)
    if (sort !== "created" || state !== null || substate !== null) return null
    const { beyond, order } = directionOf(query)
    const where = [
      ...(app === null ? [] : ["app = ?"]),
      ...(after === null ? [] : [`(created_at, id) ${beyond} (?, ?)`])
    ]
    return {
      text: `SELECT id, created_at AS at FROM sessions ${where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`}
        ORDER BY created_at ${order}, id ${order} LIMIT ?`,
      params: [...(app === null ? [] : [app]), ...(after === null ? [] : [after.rank, after.id]), limit]
    }
  }

  const listed = (query: OverviewQuery, { params, text }: Fragment, limit: number) => {
    const { order } = directionOf(query)
    return db.all(
      "list the sessions",
      `SELECT g.*, c.at AS rank FROM (SELECT id AS found_id, at FROM (${text}) AS active ORDER BY at ${order}, id ${order} LIMIT ?) AS c
        JOIN (${selectSummary}) AS g ON g.id = c.found_id
        ORDER BY c.at ${order}, c.found_id ${order}`,
      [...params, limit],
      rankedOf
    )
  }

  /** One query looks once, for the page and for the count. */
  const ranked = Effect.fnUntraced(function* (
    query: OverviewQuery,
    match: Fragment | null,
    after: Position | null,
    limit: number
  ) {
    const { beyond, order } = directionOf(query)
    const among = lastActive(db.dialect, query, null, sessionsSearched, neededBy(query))
    const from =
      after === null
        ? { text: "", params: [] }
        : { text: `WHERE (rank, id) ${beyond} (?, ?)`, params: [after.rank, after.id] }
    const rows = yield* db.all(
      "search the sessions",
      `WITH found AS MATERIALIZED (SELECT id, ${rankOf(db.dialect, query)} AS rank FROM (${among.text}) AS active
          ${match === null ? "" : `WHERE ${match.text}`})
        SELECT page.*, n FROM (SELECT count(*) AS n FROM found) AS counted LEFT JOIN (
          SELECT g.*, rank FROM (SELECT id AS found_id, rank FROM found ${from.text} ORDER BY rank ${order}, id ${order} LIMIT ?) AS f
            JOIN (${selectSummary}) AS g ON g.id = found_id) AS page ON true
          ORDER BY page.rank ${order}, page.id ${order}`,
      [...among.params, ...(match?.params ?? []), ...from.params, limit],
      (row: RankedRow & { readonly n: number }) => ({ n: row.n, found: row.id === null ? null : rankedOf(row) })
    )
    return {
      count: rows[0]?.n ?? 0,
      rows: rows.flatMap(({ found }) => (found === null ? [] : [found]))
    }
  })

  return {
    overview,
    stateCounts,
    substateCounts,
    summary: (id: SessionId) =>
      db
        .all("read a session", `${selectSummary} WHERE s.id = ?`, [id], summaryOf)
        .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
    summaries: (ids: ReadonlyArray<SessionId>) =>
      db.all("read sessions", `${selectSummary} WHERE ${db.dialect.inList("s.id")}`, [JSON.stringify(ids)], summaryOf),
    namedSessions: (ids: ReadonlyArray<SessionId>) =>
      db.all("name sessions", `${selectNamed} WHERE ${db.dialect.inList("session")}`, [JSON.stringify(ids)], namedOf),
    agentsAndApps: (app: AppName | null) =>
      Effect.all({
        agents: db.all(
          "name the agents",
          `SELECT DISTINCT agent AS name FROM
            (SELECT agent FROM sessions${app === null ? "" : " WHERE app = ?"} ORDER BY created_at DESC LIMIT ${sessionsNamingAgents}) AS newest
            ORDER BY name`,
          app === null ? [] : [app],
          (row: { readonly name: string }) => row.name
        ),
        apps: db.all(
          "name the apps",
          `SELECT app AS name FROM session_counts${app === null ? "" : " WHERE app = ?"} GROUP BY app HAVING sum(n) > 0 ORDER BY name`,
          app === null ? [] : [app],
          (row: { readonly name: string }) => row.name
        )
      })
  }
}
