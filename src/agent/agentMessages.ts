/** What an agent's driver passes on: requests for permission, questions, and facts. */
import type { UpdateMessage } from "../domain/Acp.ts"
import type { QuestionField } from "../domain/Question.ts"
import type { RequestedAction } from "../domain/RequestedAction.ts"
import type { Failure, StopReason, Usage } from "../domain/Turn.ts"

/** A request of the agent for permission. */
export interface ApprovalRequest {
  /** Unique within the connection. */
  readonly id: string
  readonly turn: number | null
  /** ACP's tool kind (`read`, `edit`, `execute`, `search`, …), for a person: the agent's word decides nothing. */
  readonly kind: string
  /** One line for a person: the command as it would run, or `2 update, 1 add: a.ts, b.ts, c.ts`. */
  readonly title: string
  /** What policies and rules decide by. */
  readonly action: RequestedAction
  readonly toolCallId: string | null
  /** The request as it came. */
  readonly raw: unknown
  /** The line of the request (`wireLine`). */
  readonly wire?: string
}

/** A question of the agent's to a person, which is no request for permission. */
export interface AgentQuestion {
  /** Unique within the connection. */
  readonly id: string
  readonly turn: number | null
  /** One line for a person: what it is about. */
  readonly title: string
  readonly fields: ReadonlyArray<QuestionField>
  readonly toolCallId: string | null
  /** The request as it came. */
  readonly raw: unknown
  /** The line of the request (`wireLine`). */
  readonly wire?: string
}

/**
 * What a driver reports of its agent, in wire order. `turn` is the index given to `prompt`. An update that comes after
 * its turn's end still has the turn that caused it; `null`: it belongs to no turn.
 */
export type AgentFact =
  | { readonly _tag: "Update"; readonly turn: number | null; readonly message: UpdateMessage }
  | { readonly _tag: "TurnStarted"; readonly turn: number; readonly agentTurnId: string }
  | {
      readonly _tag: "TurnEnded"
      readonly turn: number
      /** `error` exactly where `failure` is not null. */
      readonly stopReason: StopReason
      readonly usage: Usage | null
      readonly failure: Failure | null
      /** The line that ended the turn, if there was one (`wireLine`). */
      readonly wire?: string
    }
  /** An MCP server of the session that did not start. The session goes on without its tools. */
  | {
      readonly _tag: "McpFailed"
      readonly turn: number | null
      readonly server: string
      readonly message: string
    }
  /** The connection is over. Emitted once, as the last fact. A turn that was running has no other end. */
  | { readonly _tag: "Exited"; readonly code: number | null; readonly signal: string | null; readonly stderr: string }
