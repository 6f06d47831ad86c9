/** What an agent asks a person, permission or a question with fields, as the ledger stores it, and its resolution. */
import { Schema } from "effect"
import type { SessionId } from "./Ids.ts"
import { StoredAnswers } from "./Question.ts"
import type { QuestionField } from "./Question.ts"

/**
 * `session`: as long as the agent's process runs, where the agent supports it. A question is answered `once` or declined
 * with `deny`.
 */
export const ApprovalDecision = Schema.Literals(["once", "session", "deny"])
export type ApprovalDecision = typeof ApprovalDecision.Type

/** `expired`: nobody answered in time. `withdrawn`: its turn is over, so it needs no answer. */
export const ApprovalStatus = Schema.Literals(["pending", "answered", "expired", "withdrawn"])
export type ApprovalStatus = typeof ApprovalStatus.Type

/** How an approval was settled. Only an answer can allow: an expired or withdrawn one is `deny`. */
export const Resolution = Schema.Struct({
  status: Schema.Literals(["answered", "expired", "withdrawn"]),
  decision: ApprovalDecision,
  /** Of a question, where the decision is `once`. */
  answers: Schema.optionalKey(StoredAnswers)
})
export type Resolution = typeof Resolution.Type

/** Times are milliseconds since 1970; `null` = not yet. */
export interface ApprovalRecord {
  /** `apr_` and 27 characters of 160 random bits (`newApprovalId`). */
  readonly id: string
  readonly session: SessionId
  readonly turn: number
  /** ACP's tool kind: `read`, `edit`, `execute`, …; `question` where it has `fields`. */
  readonly kind: string
  /** One line for a person. */
  readonly title: string
  readonly toolCallId: string | null
  /** The agent's own request; `{truncated, characters}` where it was too large or too deep to be stored. */
  readonly raw: unknown
  /** What a question wants to know; `null`: the agent asks for permission. */
  readonly fields: ReadonlyArray<QuestionField> | null
  /** What was answered to the fields; `null`: the question has no answer, or it is none. */
  readonly answers: StoredAnswers | null
  readonly createdAt: number
  /** If it is unanswered at this time, it is denied. */
  readonly deadlineAt: number
  readonly status: ApprovalStatus
  readonly decision: ApprovalDecision | null
  /** An app's name, `admin`, or `troupe` itself. */
  readonly decidedBy: string | null
  readonly settledAt: number | null
}
