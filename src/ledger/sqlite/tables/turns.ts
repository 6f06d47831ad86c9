/** Turns with their one outcome, and what was used on which day. A trigger refuses a second outcome. */
import { Effect, Option } from "effect"
import type { Cost } from "../../../domain/Cost.ts"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { Failure, StopReason, TurnRecord, TurnStatus } from "../../../domain/Turn.ts"
import type { Database, SqlValue, Write } from "../Database.ts"
import type { TurnPatch } from "../../LedgerWrite.ts"
import { flag, insertInto, jsonOrNull, updateOf, usageColumns, usageOf, usageParams } from "./columns.ts"
import type { UsageRow } from "./columns.ts"

const dayMillis = 86_400_000

const columns = [
  "session",
  "idx",
  "kind",
  "status",
  "submitted_at",
  "ended_at",
  "stop_reason",
  "interrupted",
  "tool_iterations",
  "thread_id",
  "agent_turn_id",
  "context_lost",
  ...usageColumns,
  "failure",
  "prompt"
]

const insertTurn = insertInto("turns", columns)

/** What it cost stands beside it: its agent may tell that at any time, also after the turn's end. */
const cost = `(SELECT json_object('amount', amount, 'currency', currency) FROM costs
  WHERE costs.session = turns.session AND turn = idx AND amount IS NOT NULL) AS cost`
const select = `SELECT ${columns.join(", ")}, ${cost} FROM turns WHERE session = ?`

export const inserted = (record: TurnRecord): Write => ({
  text: insertTurn,
  params: [
    record.session,
    record.index,
    record.kind,
    record.status,
    record.submittedAt,
    record.endedAt,
    record.stopReason,
    flag(record.interrupted),
    record.toolIterations,
    record.threadId,
    record.agentTurnId,
    flag(record.contextLost),
    ...usageParams(record.usage),
    jsonOrNull(record.failure),
    record.prompt
  ]
})

export const patched = (session: SessionId, index: number, patch: TurnPatch): Write => {
  const set: Array<readonly [string, SqlValue]> = []
  if (patch.status !== undefined) set.push(["status", patch.status])
  if (patch.endedAt !== undefined) set.push(["ended_at", patch.endedAt])
  if (patch.stopReason !== undefined) set.push(["stop_reason", patch.stopReason])
  if (patch.failure !== undefined) set.push(["failure", jsonOrNull(patch.failure)])
  if (patch.interrupted !== undefined) set.push(["interrupted", flag(patch.interrupted)])
  if (patch.toolIterations !== undefined) set.push(["tool_iterations", patch.toolIterations])
  if (patch.threadId !== undefined) set.push(["thread_id", patch.threadId])
  if (patch.agentTurnId !== undefined) set.push(["agent_turn_id", patch.agentTurnId])
  if (patch.contextLost !== undefined) set.push(["context_lost", flag(patch.contextLost)])
  if (patch.usage !== undefined) {
    const params = usageParams(patch.usage)
    for (const [nth, column] of usageColumns.entries()) set.push([column, params[nth] ?? 0])
  }
  const where = "session = ? AND idx = ?"
  if (set.length === 0) {
    return { text: `SELECT 1 FROM turns WHERE ${where}`, params: [session, index], must: unknown }
  }
  return { ...updateOf("turns", set, where, [session, index]), must: unknown }
}

const unknown = "the session has no such turn"

interface TurnRow extends UsageRow {
  readonly session: SessionId
  readonly idx: number
  readonly kind: TurnRecord["kind"]
  readonly status: TurnStatus
  readonly submitted_at: number
  readonly ended_at: number | null
  readonly stop_reason: StopReason | null
  readonly interrupted: number
  readonly tool_iterations: number
  readonly thread_id: string | null
  readonly agent_turn_id: string | null
  readonly context_lost: number
  readonly failure: string | null
  readonly prompt: string
  readonly cost: string | null
}

const recordOf = (row: TurnRow): TurnRecord => ({
  session: row.session,
  index: row.idx,
  kind: row.kind,
  status: row.status,
  prompt: row.prompt,
  submittedAt: row.submitted_at,
  endedAt: row.ended_at,
  stopReason: row.stop_reason,
  usage: usageOf(row),
  failure: row.failure === null ? null : (JSON.parse(row.failure) as Failure),
  interrupted: row.interrupted === 1,
  toolIterations: row.tool_iterations,
  threadId: row.thread_id,
  agentTurnId: row.agent_turn_id,
  contextLost: row.context_lost === 1,
  ...(row.cost === null ? {} : { cost: JSON.parse(row.cost) as Cost })
})

interface UsageDayRow extends UsageRow {
  readonly day: number
  readonly app: AppName
  readonly agent: string
  readonly turns: number
}

const usageDayOf = (row: UsageDayRow) => ({
  day: new Date(row.day * dayMillis).toISOString().slice(0, 10),
  app: row.app,
  agent: row.agent,
  turns: row.turns,
  usage: usageOf(row)
})

const selectUsage = `SELECT day, app, agent, turns, ${usageColumns.join(", ")} FROM usage_days WHERE day >= ? AND day < ?`

/** A longer prompt is cut, and ends in `…` then. */
const outlines = `SELECT ${columns.filter((column) => column !== "prompt").join(", ")},
    CASE WHEN length(prompt) > 4096 THEN substr(prompt, 1, 4096) || '…' ELSE prompt END AS prompt,
    ${cost}
  FROM turns WHERE session = ? AND idx > ? ORDER BY idx LIMIT ?`

export const reads = (db: Database) => ({
  turns: (session: SessionId, after: number, limit: number) =>
    db.all("read the turns", `${select} AND idx > ? ORDER BY idx LIMIT ?`, [session, after, limit], recordOf),
  turnOutlines: (session: SessionId, after: number, limit: number) =>
    db.all("read the turns", outlines, [session, after, limit], recordOf),
  turn: (session: SessionId, index: number) =>
    db
      .all("read a turn", `${select} AND idx = ?`, [session, index], recordOf)
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
  openTurns: (session: SessionId) =>
    db.all("read the open turns", `${select} AND ended_at IS NULL ORDER BY idx`, [session], recordOf),
  usage: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) => {
    // A day is counted whole: from the one that `from` falls on, up to the one that begins before `to`.
    const days = [Math.floor(query.from / dayMillis), Math.ceil(query.to / dayMillis)]
    return db.all(
      "read the usage",
      `${selectUsage}${query.app === null ? "" : " AND app = ?"} ORDER BY day, app, agent`,
      query.app === null ? days : [...days, query.app],
      usageDayOf
    )
  }
})
