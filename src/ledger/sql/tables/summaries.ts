/** A row of the dashboard's lists: a session with what it waits for and what it is called by. */
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { Meta, SessionState } from "../../../domain/Session.ts"
import { openingOf, shortMeta, titleIn } from "../../../domain/sessionName.ts"
import type { NamedSession, SessionSummary } from "../../LedgerQuery.ts"
import type { Dialect } from "../Dialect.ts"
import { readableJson } from "./columns.ts"

interface NamedRow {
  readonly id: SessionId
  readonly meta: string | null
  readonly opening: string | null
}

export interface SummaryRow extends NamedRow {
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
  readonly reason: string | null
  readonly since: number | null
  readonly asks: string | null
  readonly node: string | null
  readonly timer: string | null
  readonly due_at: number | null
}

const metaOf = (meta: string | null): Meta => {
  const value = meta === null ? {} : readableJson<unknown>(meta, () => ({}))
  return typeof value === "object" && value !== null ? (value as Meta) : {}
}

const calledBy = ({ opening }: NamedRow, meta: Meta): Omit<NamedSession, "id"> => ({
  title: titleIn(meta),
  opening: opening === null ? null : openingOf(opening)
})

export const namedOf = (row: NamedRow): NamedSession => ({ id: row.id, ...calledBy(row, metaOf(row.meta)) })

export const summaryOf = (row: SummaryRow): SessionSummary => {
  const meta = metaOf(row.meta)
  return {
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
    reason: row.reason ?? "",
    since: row.since ?? row.created_at,
    asks: row.asks,
    node: row.node,
    next: row.timer === null || row.due_at === null ? null : { timer: row.timer, dueAt: row.due_at },
    ...calledBy(row, meta),
    meta: shortMeta(meta)
  }
}

export const selectNamed = "SELECT session AS id, meta, opening FROM session_requests"

/** When a session entered its substate; NULL: it has been in it from the beginning. */
export const sinceOf = (session: string) =>
  `(SELECT at FROM steps WHERE session = ${session} AND from_state <> to_state ORDER BY seq DESC LIMIT 1)`

export const selectSummaries = ({
  jsonFlag,
  jsonNumber,
  jsonText
}: Dialect) => `SELECT s.id, s.app, s.agent, s.state, s.substate, s.created_at, s.last_activity_at, s.closed_at,
    s.turn_count, s.restarts, s.last_outcome,
    ${jsonNumber("s.usage", "totalTokens")} AS tokens,
    ${jsonNumber("s.snapshot", "context.turn")} AS turn,
    ${jsonFlag("s.snapshot", "context.process")} AS process,
    CASE WHEN s.substate = 'idle.parked' THEN ${jsonText("s.snapshot", "context.reason")} END AS reason,
    ${sinceOf("s.id")} AS since,
    (SELECT title FROM approvals WHERE session = s.id AND status = 'pending' ORDER BY created_at, id LIMIT 1) AS asks,
    (SELECT name FROM nodes WHERE token = s.owner AND lease_until > 0) AS node,
    (SELECT timer FROM timers WHERE session = s.id ORDER BY due_at, timer LIMIT 1) AS timer,
    (SELECT due_at FROM timers WHERE session = s.id ORDER BY due_at, timer LIMIT 1) AS due_at,
    (SELECT meta FROM session_requests WHERE session = s.id) AS meta,
    (SELECT opening FROM session_requests WHERE session = s.id) AS opening
  FROM sessions AS s`
