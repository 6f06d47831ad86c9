/**
 * What a step of a session means to those outside: who operates Troupe, and who waits for something to happen. The log's
 * lines, webhooks and traces are made of notices, and of nothing else that sessions do.
 */
import type { ApprovalRecord } from "./Approval.ts"
import type { Failure, FailureClass, TurnStatus, Usage } from "./Turn.ts"

export type Notice =
  | {
      readonly _tag: "TurnEnded"
      readonly turn: number
      readonly status: Exclude<TurnStatus, "queued" | "running">
      readonly stopReason: string
      readonly failure: Failure | null
      readonly usage: Usage
    }
  /** The agent's process ended by itself, did not get ready, or was lost with the Troupe that had it. */
  | { readonly _tag: "ProcessDied"; readonly class: FailureClass; readonly reason: string }
  /** Another process is started in place of one that died; `attempt` counts them since the last that stayed. */
  | { readonly _tag: "ProcessRestarted"; readonly attempt: number }
  /** `until` (milliseconds since 1970): known only where the agent's account is used up. */
  | { readonly _tag: "SessionParked"; readonly reason: string; readonly until: number | null }
  | { readonly _tag: "ApprovalAsked"; readonly turn: number; readonly approval: ApprovalRecord }
  | { readonly _tag: "ApprovalExpired"; readonly turn: number; readonly id: string }
  | { readonly _tag: "SessionClosed"; readonly reason: string }
