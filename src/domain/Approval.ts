/** Leave that an agent asks for and a person gives: the question, as the ledger keeps it, and what came of it. */
import { Schema } from "effect"
import type { SessionId } from "./Ids.ts"

/** `session`: for as long as the agent's process lives, where the agent can remember it. */
export const ApprovalDecision = Schema.Literals(["once", "session", "deny"])
export type ApprovalDecision = typeof ApprovalDecision.Type

/** `expired`: nobody answered in time. `withdrawn`: what asked is over, so there is nothing left to answer. */
export const ApprovalStatus = Schema.Literals(["pending", "answered", "expired", "withdrawn"])
export type ApprovalStatus = typeof ApprovalStatus.Type

/** How it was settled. Only an answer may say yes: silence and withdrawal are `deny`. */
export interface Resolution {
  readonly status: Exclude<ApprovalStatus, "pending">
  readonly decision: ApprovalDecision
}

/** Times are milliseconds since 1970; `null` = not yet. */
export interface ApprovalRecord {
  /** `apr_` and 27 characters of 160 random bits (`newApprovalId`). */
  readonly id: string
  readonly session: SessionId
  readonly turn: number
  /** ACP's tool kind: `read`, `edit`, `execute`, … */
  readonly kind: string
  /** One line for a person. */
  readonly title: string
  readonly toolCallId: string | null
  /** The agent's own request; `{truncated, bytes}` where it was larger than is kept. */
  readonly raw: unknown
  readonly createdAt: number
  /** Unanswered at this time it is a no. */
  readonly deadlineAt: number
  readonly status: ApprovalStatus
  readonly decision: ApprovalDecision | null
  /** An app's name, `admin`, or `troupe` itself. */
  readonly decidedBy: string | null
  readonly settledAt: number | null
}
