/**
 * What a chat needs of a session, whoever has it: the runtime in this process, or a server somewhere.
 *
 * Every failure is a `CommandFailed`, which says in words what to do.
 */
import type { Effect, Stream } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { Usage } from "../../domain/Turn.ts"
import type { CommandFailed } from "../failures.ts"
import type { Told } from "../narration.ts"

export interface Conversation {
  readonly id: string
  readonly agent: string
  /** Everything that happens in the session, from its first event; ends when it is closed. */
  readonly events: Stream.Stream<Told, CommandFailed>
  /** Succeeds when the turn is accepted; what comes of it is among the events. */
  readonly submit: (prompt: string) => Effect.Effect<void, CommandFailed>
  /** Succeeds when it is over; `false` where the agent did not do it. Why a turn failed is among the events. */
  readonly compact: Effect.Effect<boolean, CommandFailed>
  readonly steer: (text: string) => Effect.Effect<void, CommandFailed>
  readonly interrupt: Effect.Effect<void, CommandFailed>
  /** `null` where it does not wait any more. */
  readonly question: (id: string) => Effect.Effect<Question | null, CommandFailed>
  readonly answer: (id: string, decision: ApprovalDecision) => Effect.Effect<void, CommandFailed>
  readonly summary: Effect.Effect<Summary, CommandFailed>
  /** Returns when no process of the session is left. */
  readonly close: Effect.Effect<void, CommandFailed>
}

/** Leave that the agent asks for. */
export interface Question {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly toolCallId: string | null
  /** The agent's own request. */
  readonly raw: unknown
  /** Milliseconds since 1970: unanswered by then it is a no. */
  readonly deadlineAt: number
}

export interface Summary {
  readonly turns: number
  readonly usage: Usage
  readonly pid: number | null
}
