/**
 * What a chat needs of its session, which is in this process or on a server.
 *
 * Every failure is a `CommandFailed`, whose message says what to do.
 */
import type { Effect, Stream } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { PermissionPolicy, Permissions } from "../../domain/Permissions.ts"
import type { Usage } from "../../domain/Turn.ts"
import type { CommandFailed } from "../failures.ts"
import type { NarratedMessage } from "../narration.ts"

export interface Conversation {
  readonly id: string
  readonly agent: string
  /** All events of the session, from the first; ends when the session is closed. */
  readonly events: Stream.Stream<NarratedMessage, CommandFailed>
  /** Succeeds when the turn is accepted; its outcome is among the events. */
  readonly submit: (prompt: string) => Effect.Effect<void, CommandFailed>
  /** Succeeds when the compaction has ended; `false` where the agent did not compact. A failure is among the events. */
  readonly compact: Effect.Effect<boolean, CommandFailed>
  readonly steer: (text: string) => Effect.Effect<void, CommandFailed>
  readonly interrupt: Effect.Effect<void, CommandFailed>
  /** For the next turns. */
  readonly permit: (permissions: PermissionPolicy) => Effect.Effect<void, CommandFailed>
  /** `null` where the approval is not pending any more. */
  readonly approval: (id: string) => Effect.Effect<PendingApproval | null, CommandFailed>
  readonly answer: (id: string, decision: ApprovalDecision) => Effect.Effect<void, CommandFailed>
  readonly summary: Effect.Effect<Summary, CommandFailed>
  /** Returns when no process of the session is left. */
  readonly close: Effect.Effect<void, CommandFailed>
}

/** An approval that the agent waits for. */
export interface PendingApproval {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly toolCallId: string | null
  /** The agent's own request. */
  readonly raw: unknown
  /** Milliseconds since 1970. An approval that is not answered by then is denied. */
  readonly deadlineAt: number
}

export interface Summary {
  readonly turns: number
  readonly usage: Usage
  readonly pid: number | null
  readonly permissions: Permissions
}
