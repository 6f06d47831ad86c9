/** Nudge counters and reviews. A review has one ending, and a session has one running review at a time. */
import { Effect, Option } from "effect"
import type { NodeToken, SessionId } from "../../../domain/Ids.ts"
import type { OwedReview, ReviewEnding, ReviewMode, ReviewRecord } from "../../../domain/Review.ts"
import type { Usage } from "../../../domain/Turn.ts"
import type { Database, SqlValue, Write } from "../Database.ts"
import type { NudgeRecord, ReviewPatch } from "../../LedgerWrite.ts"
import { flag, insertInto, json, updateOf, usageColumns, usageOf, usageParams, readableJson } from "./columns.ts"
import type { UsageRow } from "./columns.ts"
import { isOwned, isThere } from "./nodes.ts"

const nudgeColumns = ["session", "turn", "user_turns", "tool_iterations"]
const countNudges = `${insertInto("nudges", nudgeColumns)}
  ON CONFLICT (session) DO UPDATE SET
    turn = excluded.turn, user_turns = excluded.user_turns, tool_iterations = excluded.tool_iterations
    WHERE excluded.turn > nudges.turn
  RETURNING 1`

/** Fails where the turn was counted before. */
export const nudged = ({ session, toolIterations, turn, userTurns }: NudgeRecord): Write => ({
  text: countNudges,
  params: [session, turn, userTurns, toolIterations],
  failIfNoRow: "the turn was counted already"
})

const owedColumns = ["session", "turn", "review_memory", "review_skills"]
const insertOwed = insertInto("owed_reviews", owedColumns)

export const owed = ({ reviewMemory, reviewSkills, session, turn }: OwedReview): Write => ({
  text: insertOwed,
  params: [session, turn, flag(reviewMemory), flag(reviewSkills)]
})

/** Changes no row, and does not fail, where none is owed. */
export const notOwed = (session: SessionId, upToTurn: number | null): Write => ({
  text: "DELETE FROM owed_reviews WHERE session = ? AND turn <= coalesce(?, turn)",
  params: [session, upToTurn]
})

export const begun = (session: SessionId, upToTurn: number): Write => ({
  text: "DELETE FROM owed_reviews WHERE session = ? AND turn <= ? RETURNING 1",
  params: [session, upToTurn],
  failIfNoRow: "the review has begun already, or was cancelled"
})

const columns = [
  "id",
  "session",
  "turn",
  "review_memory",
  "review_skills",
  "mode",
  "model",
  "started_at",
  "ended_at",
  "ending",
  "reason",
  "iterations",
  "wrote",
  ...usageColumns
]
const insertReview = insertInto("reviews", [...columns, "owner"])

export const started = (record: ReviewRecord, owner: NodeToken): Write => ({
  text: insertReview,
  params: [
    record.id,
    record.session,
    record.turn,
    flag(record.reviewMemory),
    flag(record.reviewSkills),
    record.mode,
    record.model,
    record.startedAt,
    record.endedAt,
    record.ending,
    record.reason,
    record.iterations,
    json(record.wrote),
    ...usageParams(record.usage),
    owner
  ]
})

/** Changes no row, and does not fail, where the session was deleted and the review with it. */
export const patched = (id: string, patch: ReviewPatch): Write => {
  const ended: ReadonlyArray<readonly [string, SqlValue]> =
    patch.ended === undefined
      ? []
      : [
          ["ended_at", patch.ended.at],
          ["ending", patch.ended.ending],
          ["reason", patch.ended.reason]
        ]
  const usage = usageParams(patch.usage)
  return updateOf(
    "reviews",
    [
      ...ended,
      ["iterations", patch.iterations],
      ["wrote", json(patch.wrote)],
      ...usageColumns.map((column, nth) => [column, usage[nth] ?? 0] as const)
    ],
    "id = ?",
    [id]
  )
}

/** Ends the reviews that a node left running when it died. Those of an earlier version have none. */
export const abandoned = (at: number, reason: string): Write => ({
  text: `UPDATE reviews SET ended_at = ?, ending = 'cancelled', reason = ? WHERE ended_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.token = reviews.owner AND ${isThere})`,
  params: [at, reason]
})

interface NudgeRow {
  readonly session: SessionId
  readonly turn: number
  readonly user_turns: number
  readonly tool_iterations: number
}

const nudgeOf = (row: NudgeRow): NudgeRecord => ({
  session: row.session,
  turn: row.turn,
  userTurns: row.user_turns,
  toolIterations: row.tool_iterations
})

type OwedRow = Pick<ReviewRow, "session" | "turn" | "review_memory" | "review_skills">

const owedOf = (row: OwedRow): OwedReview => ({
  session: row.session,
  turn: row.turn,
  reviewMemory: row.review_memory === 1,
  reviewSkills: row.review_skills === 1
})

interface ReviewRow extends UsageRow {
  readonly id: string
  readonly session: SessionId
  readonly turn: number
  readonly review_memory: number
  readonly review_skills: number
  readonly mode: ReviewMode
  readonly model: string | null
  readonly started_at: number
  readonly ended_at: number | null
  readonly ending: ReviewEnding | null
  readonly reason: string | null
  readonly iterations: number
  readonly wrote: string
}

const recordOf = (row: ReviewRow): ReviewRecord => ({
  id: row.id,
  session: row.session,
  turn: row.turn,
  reviewMemory: row.review_memory === 1,
  reviewSkills: row.review_skills === 1,
  mode: row.mode,
  model: row.model,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  ending: row.ending,
  reason: row.reason,
  iterations: row.iterations,
  wrote: readableJson<ReviewRecord["wrote"]>(row.wrote, () => []),
  usage: usageOf(row)
})

const usageBySession = (row: UsageRow & { readonly session: SessionId }): readonly [SessionId, Usage] => [
  row.session,
  usageOf(row)
]

export const reads = (db: Database) => ({
  nudgeCounters: (session: SessionId) =>
    db
      .all(
        "read the nudge counters",
        `SELECT ${nudgeColumns.join(", ")} FROM nudges WHERE session = ?`,
        [session],
        nudgeOf
      )
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
  owedReviews: (node: NodeToken, limit: number) =>
    db.all(
      "read the reviews that are owed",
      `SELECT ${owedColumns.map((column) => `owed_reviews.${column}`).join(", ")}
        FROM owed_reviews JOIN sessions ON sessions.id = owed_reviews.session
        WHERE sessions.owner = ? OR NOT ${isOwned}
        ORDER BY owed_reviews.session, owed_reviews.turn LIMIT ?`,
      [node, limit],
      owedOf
    ),
  reviews: (session: SessionId, limit: number) =>
    db.all(
      "read the reviews",
      `SELECT ${columns.join(", ")} FROM reviews WHERE session = ? ORDER BY started_at DESC, id DESC LIMIT ?`,
      [session, limit],
      recordOf
    ),
  reviewUsage: (sessions: ReadonlyArray<SessionId>) =>
    db
      .all(
        "read what the reviews used",
        `SELECT session, ${usageColumns.map((column) => `${db.dialect.sum(column)} AS ${column}`).join(", ")}
          FROM reviews WHERE ${db.dialect.inList("session")} GROUP BY session`,
        [json(sessions)],
        usageBySession
      )
      .pipe(Effect.map((rows): ReadonlyMap<SessionId, Usage> => new Map(rows)))
})
