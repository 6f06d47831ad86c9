/**
 * Summaries of sessions for the dashboard, ordered by last activity, each with what its session waits for.
 *
 * One index has the open sessions by their last activity, another the closed ones by the time they closed, which was
 * their last activity. A page merges the first rows of both, found by key. Only the last active sessions are searched by
 * agent and text, so that a query does not cost more for a longer history.
 */
import { Effect, Option } from "effect"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { SessionState } from "../../../domain/Session.ts"
import { cursorOf, parseCursor } from "../../Cursor.ts"
import type { Database, SqlValue } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { readableJson } from "./columns.ts"
import * as Counts from "./counts.ts"
import { atWork } from "./counts.ts"
import type { SessionSummary, OverviewQuery, Page } from "../../LedgerQuery.ts"
import { LedgerError } from "../../LedgerError.ts"

/** How many open sessions, and how many closed ones, are searched: those that were active last. */
const sessionsSearched = 10_000
/** How many of the newest sessions name the agents that can be filtered by. */
const sessionsNamingAgents = 5_000

interface SummaryRow {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly state: SessionState
  readonly substate: string
  readonly created_at: number
  readonly last_activity_at: number
  readonly closed_at: number | null
  readonly turn_count: number
  readonly restarts: number
  readonly tokens: number | null
  readonly last_outcome: string | null
  readonly turn: number | null
  readonly process: number
  readonly since: number | null
  readonly asks: string | null
  readonly node: string | null
  readonly timer: string | null
  readonly due_at: number | null
}

const summaryOf = (row: SummaryRow): SessionSummary => ({
  id: row.id,
  app: row.app,
  agent: row.agent,
  state: row.state,
  substate: row.substate,
  createdAt: row.created_at,
  lastActivityAt: row.last_activity_at,
  closedAt: row.closed_at,
  turnCount: row.turn_count,
  restarts: row.restarts,
  totalTokens: row.tokens ?? 0,
  lastOutcome: row.last_outcome === null ? null : readableJson(row.last_outcome, () => null),
  turn: row.turn ?? 0,
  process: row.process === 1,
  since: row.since ?? row.created_at,
  asks: row.asks,
  node: row.node,
  next: row.timer === null || row.due_at === null ? null : { timer: row.timer, dueAt: row.due_at }
})

const summaries = ({
  jsonFlag,
  jsonNumber
}: Dialect) => `SELECT s.id, s.app, s.agent, s.state, s.substate, s.created_at, s.last_activity_at, s.closed_at,
    s.turn_count, s.restarts, s.last_outcome,
    ${jsonNumber("s.usage", "totalTokens")} AS tokens,
    ${jsonNumber("s.snapshot", "context.turn")} AS turn,
    ${jsonFlag("s.snapshot", "context.process")} AS process,
    (SELECT at FROM steps WHERE session = s.id AND from_state <> to_state ORDER BY seq DESC LIMIT 1) AS since,
    (SELECT title FROM approvals WHERE session = s.id AND status = 'pending' ORDER BY created_at, id LIMIT 1) AS asks,
    (SELECT name FROM nodes WHERE token = s.owner AND lease_until > 0) AS node,
    (SELECT timer FROM timers WHERE session = s.id ORDER BY due_at, timer LIMIT 1) AS timer,
    (SELECT due_at FROM timers WHERE session = s.id ORDER BY due_at, timer LIMIT 1) AS due_at
  FROM sessions AS s`

interface Fragment {
  readonly text: string
  readonly params: ReadonlyArray<SqlValue>
}

const and = (conditions: ReadonlyArray<Fragment>): Fragment => ({
  text: conditions.map(({ text }) => text).join(" AND "),
  params: conditions.flatMap(({ params }) => params)
})

interface Position {
  readonly at: number
  readonly id: string
}

/** The first `limit` open and the first `limit` closed sessions after a position, each in the order of its index. */
const lastActive = ({ app, state }: OverviewQuery, after: Position | null, limit: number): Fragment => {
  const kinds = [
    ...(state === "closed" ? [] : [{ by: "last_activity_at", is: openConditions[state ?? "open"] }]),
    ...(state === null || state === "closed" ? [{ by: "closed_at", is: "closed_at IS NOT NULL" }] : [])
  ]
  const parts = kinds.map(({ by, is }): Fragment => {
    const among = and([
      { text: is, params: [] },
      ...(app === null ? [] : [{ text: "app = ?", params: [app] }]),
      ...(after === null ? [] : [{ text: `(${by}, id) < (?, ?)`, params: [after.at, after.id] }])
    ])
    return {
      text: `SELECT * FROM (SELECT id, ${by} AS at, app, agent, substate, owner FROM sessions
        WHERE ${among.text} ORDER BY ${by} DESC, id DESC LIMIT ?) AS ${by}_first`,
      params: [...among.params, limit]
    }
  })
  return {
    text: parts.map(({ text }) => text).join(" UNION ALL "),
    params: parts.flatMap(({ params }) => params)
  }
}

/** The SQL condition of each state, in the words of the partial indexes: only then SQLite uses them. */
const openConditions: Readonly<Record<Exclude<SessionState, "closed"> | "open", string>> = {
  open: "closed_at IS NULL",
  idle: "closed_at IS NULL AND state = 'idle'",
  turning: `${atWork} AND state = 'turning'`,
  retiring: `${atWork} AND state = 'retiring'`
}

/** Upper and lower case of ASCII letters are the same, as `lower` has it in both databases. */
const lowerCase = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const matching = ({ position }: Dialect, { agent, node, search }: OverviewQuery): Fragment | null => {
  const conditions = [
    ...(agent === null ? [] : [{ text: "agent = ?", params: [agent] }]),
    ...(node === null
      ? []
      : [{ text: "owner IN (SELECT token FROM nodes WHERE name = ? AND lease_until > 0)", params: [node] }]),
    ...(search === null
      ? []
      : [
          {
            text: `(${position("lower(id || ' ' || app || ' ' || agent || ' ' || substate)", "?")} > 0 OR EXISTS (
              SELECT 1 FROM session_requests
                WHERE session = id AND ${position("lower(cwd || ' ' || coalesce(model, ''))", "?")} > 0))`,
            params: [lowerCase(search), lowerCase(search)]
          }
        ])
  ]
  return conditions.length === 0 ? null : and(conditions)
}

export const reads = (db: Database) => {
  const selectSummary = summaries(db.dialect)
  const { count: stored, stateCounts, substateCounts } = Counts.reads(db)

  const overview = Effect.fnUntraced(function* (query: OverviewQuery) {
    const from = query.cursor === null ? null : parseCursor(query.cursor)
    if (from !== null && Option.isNone(from)) {
      return yield* new LedgerError({
        operation: "list the sessions",
        cause: "the cursor is none of this ledger's",
        kind: "refused"
      })
    }
    const after = from === null ? null : { at: from.value.createdAt, id: from.value.id }
    // One more than the page shows whether another page follows.
    const limit = query.limit + 1
    const match = matching(db.dialect, query)
    const { count, rows } =
      match === null
        ? yield* Effect.all({ rows: listed(query, after, limit), count: stored(query.app, query.state) })
        : yield* searched(query, match, after, limit)
    const items = rows.slice(0, query.limit)
    const last = items.at(-1)
    const next =
      rows.length > query.limit && last !== undefined ? cursorOf({ createdAt: last.lastActivityAt, id: last.id }) : null
    const result: Page<SessionSummary> = { items, count, next }
    return result
  })

  const listed = (query: OverviewQuery, after: Position | null, limit: number) => {
    const { params, text } = lastActive(query, after, limit)
    return db.all(
      "list the sessions",
      `${selectSummary} JOIN (SELECT id, at FROM (${text}) AS active ORDER BY at DESC, id DESC LIMIT ?) AS c ON s.id = c.id
        ORDER BY c.at DESC, c.id DESC`,
      [...params, limit],
      summaryOf
    )
  }

  /** One query searches once, for the page and for the count. */
  const searched = Effect.fnUntraced(function* (
    query: OverviewQuery,
    match: Fragment,
    after: Position | null,
    limit: number
  ) {
    const among = lastActive(query, null, sessionsSearched)
    const from =
      after === null ? { text: "", params: [] } : { text: "WHERE (at, id) < (?, ?)", params: [after.at, after.id] }
    const rows = yield* db.all(
      "search the sessions",
      `WITH found AS MATERIALIZED (SELECT id, at FROM (${among.text}) AS active WHERE ${match.text})
        SELECT page.*, n FROM (SELECT count(*) AS n FROM found) AS counted LEFT JOIN (
          SELECT g.*, at FROM (SELECT id AS found_id, at FROM found ${from.text} ORDER BY at DESC, id DESC LIMIT ?) AS f
            JOIN (${selectSummary}) AS g ON g.id = found_id) AS page ON true
          ORDER BY page.at DESC, page.id DESC`,
      [...among.params, ...match.params, ...from.params, limit],
      (row: SummaryRow & { readonly n: number }) => ({ n: row.n, summary: row.id === null ? null : summaryOf(row) })
    )
    return {
      count: rows[0]?.n ?? 0,
      rows: rows.flatMap(({ summary }) => (summary === null ? [] : [summary]))
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
