/** What came of a turn, for callers in TypeScript: the keys of the HTTP body in camelCase, always all of them. */
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type { ContextWindow, Message, StopReason, TurnResult, Usage } from "./Turn.ts"
import { turnBody } from "../http/turnBody.ts"

export interface TurnOutcome {
  /** `false` where the agent failed or a deadline ended the turn; `error` says which, and what to do. */
  readonly ok: boolean
  readonly sessionId: string
  /** Counts from 1 in each session. */
  readonly turnIndex: number
  readonly stopReason: StopReason | null
  readonly finalText: string
  /** Messages of the Agent Client Protocol, for every agent; the last one is the turn's end. */
  readonly events: ReadonlyArray<AcpMessage>
  readonly messages: ReadonlyArray<Message>
  readonly toolIterations: number
  readonly completed: boolean
  readonly partial: boolean
  readonly interrupted: boolean
  readonly error: string | null
  /** 1 for a turn that reached the agent, 0 for one that never did. */
  readonly apiCalls: 0 | 1
  readonly usage: Usage
  /** What the turn cost; `null` where the agent does not tell. */
  readonly cost: Cost | null
  /** The agent made room in its context during this turn; of a compaction, whether it happened. */
  readonly compacted: boolean
  /** The agent's context window after the turn, in tokens; `null` where the agent does not tell. */
  readonly context: ContextWindow | null
  /** The agent's memory of the turns before this one could not be brought back. */
  readonly contextLost: boolean
  /** The agent gave its whole answer and never ended the turn: at the deadline the answer was accepted. */
  readonly acceptedWithoutEnd: boolean
  readonly threadId: string | null
  readonly agentTurnId: string | null
  readonly durationMs: number | null
}

export const outcomeOf = (result: TurnResult): TurnOutcome => {
  const body = turnBody(result)
  return {
    ok: body.ok,
    sessionId: body.session_id,
    turnIndex: body.turn_index,
    stopReason: body.stop_reason,
    finalText: body.final_text,
    events: body.events,
    messages: body.messages,
    toolIterations: body.tool_iterations,
    completed: body.completed,
    partial: body.partial,
    interrupted: body.interrupted,
    error: body.error,
    apiCalls: body.api_calls,
    usage: result.turn.usage,
    cost: body.cost,
    compacted: body.compacted,
    context: body.context,
    contextLost: body.context_lost,
    acceptedWithoutEnd: body.accepted_without_end,
    threadId: body.thread_id,
    agentTurnId: body.agent_turn_id,
    durationMs: body.duration_ms
  }
}
