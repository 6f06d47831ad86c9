/** Sessions that may need a person (`domain/attention.ts`): what is looked at is bounded by what is at work or has failed. */
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { FailureClass, TurnStatus } from "../../../domain/Turn.ts"
import type { FailedTurn, WaitingSession } from "../../LedgerQuery.ts"
import type { Database } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"

/** Among so many of the last failed turns are those that are their session's last. */
const failuresLookedAt = 10_000
const longestMessage = 500

interface WaitingRow {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly substate: string
  readonly created_at: number
  readonly turn: number | null
  readonly since: number | null
  readonly reason: string | null
  readonly due_at: number | null
}

const waitingOf = (row: WaitingRow): WaitingSession => ({
  id: row.id,
  app: row.app,
  agent: row.agent,
  substate: row.substate,
  turn: row.turn ?? 0,
  since: row.since ?? row.created_at,
  reason: row.reason ?? "",
  nextDueAt: row.due_at
})

/** In the words of the index of sessions that do not sleep. The app's name is not to choose another one. */
const selectWaiting = (
  { inList, jsonNumber, jsonText, withoutIndex }: Dialect,
  app: AppName | null
) => `SELECT s.id, s.app, s.agent, s.substate, s.created_at,
    ${jsonNumber("s.snapshot", "context.turn")} AS turn,
    ${jsonText("s.snapshot", "context.reason")} AS reason,
    (SELECT at FROM steps WHERE session = s.id AND from_state <> to_state ORDER BY seq DESC LIMIT 1) AS since,
    (SELECT due_at FROM timers WHERE session = s.id ORDER BY due_at, timer LIMIT 1) AS due_at
  FROM sessions AS s
  WHERE s.closed_at IS NULL AND s.substate <> 'idle.asleep' AND ${inList(withoutIndex("s.substate"))}
    ${app === null ? "" : `AND ${withoutIndex("s.app")} = ?`}
  ORDER BY s.created_at, s.id LIMIT ?`

interface FailedRow {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly idx: number
  readonly status: TurnStatus
  readonly class: FailureClass | null
  readonly message: string | null
  readonly ended_at: number
}

const failedOf = ({ app, agent, class: kind, ended_at, id, idx, message, status }: FailedRow): FailedTurn => ({
  id,
  app,
  agent,
  turn: idx,
  status,
  class: kind,
  message: message ?? "",
  endedAt: ended_at
})

const selectFailed = (
  { jsonText }: Dialect,
  app: AppName | null
) => `SELECT s.id, s.app, s.agent, t.idx, t.status, t.ended_at,
    ${jsonText("t.failure", "class")} AS class,
    substr(${jsonText("t.failure", "message")}, 1, ${longestMessage}) AS message
  FROM (SELECT session, idx, status, failure, ended_at FROM turns
      WHERE status IN ('failed', 'timed_out') AND ended_at >= ? ORDER BY ended_at DESC, session DESC, idx DESC
      LIMIT ${failuresLookedAt}) AS t
    JOIN sessions AS s ON s.id = t.session
  WHERE s.closed_at IS NULL AND s.turn_count = t.idx${app === null ? "" : " AND s.app = ?"}
  ORDER BY t.ended_at DESC, s.id LIMIT ?`

/** Also of sessions that went on, or are closed. */
const selectFailedBetween = (
  { jsonText, withoutIndex }: Dialect,
  app: AppName | null
) => `SELECT s.id, s.app, s.agent, t.idx, t.status, t.ended_at,
    ${jsonText("t.failure", "class")} AS class,
    substr(${jsonText("t.failure", "message")}, 1, ${longestMessage}) AS message
  FROM turns AS t JOIN sessions AS s ON s.id = t.session
  WHERE t.status IN ('failed', 'timed_out') AND t.ended_at >= ? AND t.ended_at < ?${app === null ? "" : ` AND ${withoutIndex("s.app")} = ?`}
  ORDER BY t.ended_at DESC, t.session DESC, t.idx DESC LIMIT ?`

export const reads = (db: Database) => ({
  failedTurns: (app: AppName | null, from: number, to: number, limit: number) =>
    db.all(
      "find the failed turns",
      selectFailedBetween(db.dialect, app),
      app === null ? [from, to, limit] : [from, to, app, limit],
      failedOf
    ),
  waitingSessions: (app: AppName | null, substates: ReadonlyArray<string>, limit: number) =>
    db.all(
      "find the sessions that wait",
      selectWaiting(db.dialect, app),
      app === null ? [JSON.stringify(substates), limit] : [JSON.stringify(substates), app, limit],
      waitingOf
    ),
  failedLastTurns: (app: AppName | null, since: number, limit: number) =>
    db.all(
      "find the failed turns",
      selectFailed(db.dialect, app),
      app === null ? [since, limit] : [since, app, limit],
      failedOf
    )
})
