/** Approvals, read one by its id and the pending ones by their session. An approval is settled once. */
import { Effect, Option } from "effect"
import type { ApprovalDecision, ApprovalRecord, ApprovalStatus, Resolution } from "../../../domain/Approval.ts"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { QuestionField, StoredAnswers } from "../../../domain/Question.ts"
import type { Database, Write } from "../Database.ts"
import { insertInto, json, jsonOrNull, readableJson } from "./columns.ts"

const columns = [
  "id",
  "session",
  "turn",
  "kind",
  "title",
  "tool_call_id",
  "raw",
  "created_at",
  "deadline_at",
  "status",
  "decision",
  "decided_by",
  "settled_at",
  "fields",
  "answers"
]

const insertApproval = insertInto("approvals", columns)

export const asked = (record: ApprovalRecord): Write => ({
  text: insertApproval,
  params: [
    record.id,
    record.session,
    record.turn,
    record.kind,
    record.title,
    record.toolCallId,
    json(record.raw),
    record.createdAt,
    record.deadlineAt,
    record.status,
    record.decision,
    record.decidedBy,
    record.settledAt,
    jsonOrNull(record.fields),
    jsonOrNull(record.answers)
  ]
})

export const settled = (
  session: SessionId,
  id: string,
  { answers, decision, status }: Resolution,
  by: string,
  at: number
): Write => ({
  text: `UPDATE approvals SET status = ?, decision = ?, decided_by = ?, settled_at = ?, answers = ?
    WHERE id = ? AND session = ? AND status = 'pending' RETURNING 1`,
  params: [status, decision, by, at, jsonOrNull(answers ?? null), id, session],
  failIfNoRow: "the approval is not pending"
})

interface ApprovalRow {
  readonly id: string
  readonly session: SessionId
  readonly turn: number
  readonly kind: string
  readonly title: string
  readonly tool_call_id: string | null
  readonly raw: string
  readonly created_at: number
  readonly deadline_at: number
  readonly status: ApprovalStatus
  readonly decision: ApprovalDecision | null
  readonly decided_by: string | null
  readonly settled_at: number | null
  readonly fields: string | null
  readonly answers: string | null
}

const approvalOf = (row: ApprovalRow): ApprovalRecord => ({
  id: row.id,
  session: row.session,
  turn: row.turn,
  kind: row.kind,
  title: row.title,
  toolCallId: row.tool_call_id,
  raw: readableJson<unknown>(row.raw, (note) => ({ "troupe/unreadable": note })),
  createdAt: row.created_at,
  deadlineAt: row.deadline_at,
  status: row.status,
  decision: row.decision,
  decidedBy: row.decided_by,
  settledAt: row.settled_at,
  // A question whose fields can't be read any more is one without fields, so that it can still be declined.
  fields: row.fields === null ? null : readableJson<ReadonlyArray<QuestionField>>(row.fields, () => []),
  answers: row.answers === null ? null : readableJson<StoredAnswers | null>(row.answers, () => null)
})

const select = `SELECT ${columns.join(", ")} FROM approvals`

export const reads = (db: Database) => ({
  approval: (session: SessionId, id: string) =>
    db
      .all("read an approval", `${select} WHERE id = ? AND session = ?`, [id, session], approvalOf)
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
  pendingApprovals: (session: SessionId) =>
    db.all(
      "read the pending approvals",
      `${select} WHERE session = ? AND status = 'pending' ORDER BY created_at, id`,
      [session],
      approvalOf
    ),
  lastApprovals: (session: SessionId, limit: number) =>
    db
      .all(
        "read the approvals",
        `${select} WHERE session = ? ORDER BY created_at DESC, id DESC LIMIT ?`,
        [session, limit],
        approvalOf
      )
      .pipe(Effect.map((approvals) => approvals.toReversed())),
  inbox: (app: AppName | null, limit: number) =>
    db.all(
      "read the pending approvals",
      `SELECT ${columns.map((column) => `a.${column}`).join(", ")}, s.app, s.agent
        FROM approvals AS a JOIN sessions AS s ON s.id = a.session
        WHERE a.status = 'pending'${app === null ? "" : " AND s.app = ?"} ORDER BY a.created_at, a.id LIMIT ?`,
      app === null ? [limit] : [app, limit],
      (
        row: ApprovalRow & { readonly app: AppName; readonly agent: string }
      ): ApprovalRecord & {
        readonly app: AppName
        readonly agent: string
      } => ({ ...approvalOf(row), app: row.app, agent: row.agent })
    )
})
