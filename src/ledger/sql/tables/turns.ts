/** Turns with their one outcome, and the tokens used on each day. A trigger refuses a second outcome. */
import { Effect, Option } from "effect"
import type { Cost } from "../../../domain/Cost.ts"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { TurnRecord, TurnSettings } from "../../../domain/Turn.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import type { SubmittedTurn } from "../../LedgerQuery.ts"
import type { LedgerWrite, TurnPatch } from "../../LedgerWrite.ts"
import {
  columnsOf,
  flagField,
  insertInto,
  jsonOrNullField,
  paramsOf,
  patchOf,
  plain,
  readableJsonField,
  recordOf,
  usageColumns,
  usageField,
  usageOf
} from "./columns.ts"
import type { Fields, Row, UsageRow } from "./columns.ts"

const dayMillis = 86_400_000

const fields: Fields<Omit<TurnRecord, "cost">> = {
  session: plain("session"),
  index: plain("idx"),
  kind: plain("kind"),
  status: plain("status"),
  submittedAt: plain("submitted_at"),
  endedAt: plain("ended_at"),
  stopReason: plain("stop_reason"),
  interrupted: flagField("interrupted"),
  toolIterations: plain("tool_iterations"),
  threadId: plain("thread_id"),
  agentTurnId: plain("agent_turn_id"),
  contextLost: flagField("context_lost"),
  contextAsOf: plain("context_as_of"),
  workdirLost: flagField("workdir_lost"),
  usage: usageField,
  failure: jsonOrNullField("failure"),
  prompt: plain("prompt"),
  content: jsonOrNullField("content"),
  givenContext: plain("given_context"),
  settings: readableJsonField<TurnSettings>("settings", () => ({}))
}

const patchFields: Fields<Required<TurnPatch>> = fields
/** Where the dialect has a turn's bounds in its row. */
const boundedFields: Fields<Required<TurnPatch> & { readonly last: number }> = {
  ...patchFields,
  last: plain("last_event")
}

const columns = columnsOf(fields)
const insertTurn = insertInto("turns", [...columns, "submission", "fingerprint"])
const insertBounded = insertInto("turns", [...columns, "submission", "fingerprint", "after_event"])

/** The turn's cost has a table of its own: an agent may report it at any time, also after the turn's end. */
const cost = ({ jsonObject }: Dialect) => `(SELECT ${jsonObject({ amount: "amount", currency: "currency" })} FROM costs
  WHERE costs.session = turns.session AND turn = idx AND amount IS NOT NULL) AS cost`
const selectFrom = (dialect: Dialect) => `SELECT ${columns.join(", ")}, ${cost(dialect)} FROM turns WHERE session = ?`

type Entry<Tag extends LedgerWrite["_tag"]> = Extract<LedgerWrite, { readonly _tag: Tag }>

export const inserted = ({ boundsTurns }: Dialect, { after, record, submission }: Entry<"TurnInserted">): Write => {
  const params = [...paramsOf(fields, record), submission?.id ?? null, submission?.fingerprint ?? null]
  return boundsTurns ? { text: insertBounded, params: [...params, after ?? null] } : { text: insertTurn, params }
}

export const submissionFreed = (session: SessionId, index: number): Write => ({
  text: "UPDATE turns SET submission = NULL, fingerprint = NULL WHERE session = ? AND idx = ?",
  params: [session, index]
})

export const patched = ({ boundsTurns }: Dialect, { index, last, patch, session }: Entry<"TurnPatched">): Write => {
  const row = {
    where: "session = ? AND idx = ?",
    key: [session, index],
    failIfNoRow: "the session has no such turn"
  }
  return boundsTurns && last !== undefined
    ? patchOf("turns", boundedFields, { ...patch, last }, row)
    : patchOf("turns", patchFields, patch, row)
}

const withoutCost = recordOf(fields)

const turnOf = (row: Row): TurnRecord => ({
  ...withoutCost(row),
  ...(row["cost"] === null ? {} : { cost: JSON.parse(String(row["cost"])) as Cost })
})

interface SubmittedRow {
  readonly idx: number
  readonly fingerprint: string | null
  readonly ended_at: number | null
}

const submittedOf = (row: SubmittedRow): SubmittedTurn => ({
  index: row.idx,
  fingerprint: row.fingerprint,
  isOpen: row.ended_at === null
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

const selectUsage = ({ sum }: Dialect) =>
  `SELECT day, app, agent, ${["turns", ...usageColumns].map((column) => `${sum(column)} AS ${column}`).join(", ")} FROM usage_days WHERE day >= ? AND day < ?`

/** A prompt of more than 4,096 characters is cut and ends in `…`. */
const outlinesOf = (dialect: Dialect) => `SELECT ${columns.filter((column) => column !== "prompt").join(", ")},
    CASE WHEN length(prompt) > 4096 THEN substr(prompt, 1, 4096) || '…' ELSE prompt END AS prompt,
    ${cost(dialect)}
  FROM turns WHERE session = ? AND idx > ? ORDER BY idx LIMIT ?`

export const reads = (db: Database) => {
  const select = selectFrom(db.dialect)
  const outlines = outlinesOf(db.dialect)
  return {
    turns: (session: SessionId, after: number, limit: number) =>
      db.all("read the turns", `${select} AND idx > ? ORDER BY idx LIMIT ?`, [session, after, limit], turnOf),
    turnOutlines: (session: SessionId, after: number, limit: number) =>
      db.all("read the turns", outlines, [session, after, limit], turnOf),
    turn: (session: SessionId, index: number) =>
      db
        .all("read a turn", `${select} AND idx = ?`, [session, index], turnOf)
        .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
    turnOfSubmission: (session: SessionId, submission: string) =>
      db
        .all(
          "read the turn of a submission",
          "SELECT idx, fingerprint, ended_at FROM turns WHERE session = ? AND submission = ?",
          [session, submission],
          submittedOf
        )
        .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
    turnsOfSubmissions: (session: SessionId, submissions: ReadonlyArray<string>) =>
      db
        .all(
          "read the turns of submissions",
          `SELECT submission, idx, fingerprint, ended_at FROM turns WHERE session = ? AND ${db.dialect.inList("submission")}`,
          [session, JSON.stringify(submissions)],
          (row: SubmittedRow & { readonly submission: string }) => [row.submission, submittedOf(row)] as const
        )
        .pipe(Effect.map((found) => new Map(found))),
    usage: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) => {
      // A day is counted whole: from the one that `from` falls on, up to the one that begins before `to`.
      const days = [Math.floor(query.from / dayMillis), Math.ceil(query.to / dayMillis)]
      return db.all(
        "read the usage",
        `${selectUsage(db.dialect)}${query.app === null ? "" : " AND app = ?"} GROUP BY day, app, agent ORDER BY day, app, agent`,
        query.app === null ? days : [...days, query.app],
        usageDayOf
      )
    }
  }
}
