/** A permission request of an agent that waits for a person, as the ledger stores it, and its resolution. */
import { Schema } from "effect"
import type { SessionId } from "./Ids.ts"

/** `session`: as long as the agent's process runs, where the agent supports it. */
export const ApprovalDecision = Schema.Literals(["once", "session", "deny"])
export type ApprovalDecision = typeof ApprovalDecision.Type

/** `expired`: nobody answered in time. `withdrawn`: its turn is over, so it needs no answer. */
export const ApprovalStatus = Schema.Literals(["pending", "answered", "expired", "withdrawn"])
export type ApprovalStatus = typeof ApprovalStatus.Type

/** How an approval was settled. Only an answer can allow: an expired or withdrawn one is `deny`. */
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
  /** The agent's own request; `{truncated, characters}` where it was too large or too deep to be stored. */
  readonly raw: unknown
  readonly createdAt: number
  /** If it is unanswered at this time, it is denied. */
  readonly deadlineAt: number
  readonly status: ApprovalStatus
  readonly decision: ApprovalDecision | null
  /** An app's name, `admin`, or `troupe` itself. */
  readonly decidedBy: string | null
  readonly settledAt: number | null
}
