/**
 * The body of a turn's result, and the status it goes out with.
 *
 * The keys are the contract's `TurnResult`, always all of them. The text is made here and not by the schema: a long
 * turn has thousands of events, which came from the ledger and need no second look. A test holds the two together.
 */
import type { AcpMessage } from "../domain/Acp.ts"
import type { Cost } from "../domain/Cost.ts"
import type {
  ContextWindow,
  Failure,
  Message,
  StopReason,
  TurnRecord,
  TurnResult,
  TurnStatus,
  Usage
} from "../domain/Turn.ts"
import type { Refused } from "./contract/Problem.ts"
import { secondsOf } from "./contract/wire.ts"

type PoolFull = Refused & { readonly code: "pool_full"; readonly status: 503 }

export interface TurnBody {
  readonly ok: boolean
  readonly session_id: string
  readonly turn_index: number
  readonly stop_reason: StopReason | null
  readonly final_text: string
  readonly events: ReadonlyArray<AcpMessage>
  readonly messages: ReadonlyArray<Message>
  readonly tool_iterations: number
  readonly completed: boolean
  readonly partial: boolean
  readonly interrupted: boolean
  readonly error: string | null
  readonly api_calls: 0 | 1
  readonly usage: ReturnType<typeof usageBody>
  readonly cost: Cost | null
  readonly compacted: boolean
  readonly context: ContextWindow | null
  readonly context_lost: boolean
  readonly accepted_without_end: boolean
  readonly thread_id: string | null
  readonly agent_turn_id: string | null
  readonly duration_ms: number | null
}

export const turnBody = ({
  acceptedWithoutEnd,
  compacted,
  context,
  events,
  finalText,
  handed,
  messages,
  turn
}: TurnResult): TurnBody => ({
  ok: turn.status !== "failed" && turn.status !== "timed_out",
  session_id: turn.session,
  turn_index: turn.index,
  stop_reason: turn.stopReason ?? stopReasons[turn.status],
  final_text: finalText,
  events,
  messages,
  tool_iterations: turn.toolIterations,
  completed: turn.status === "completed",
  partial: turn.status !== "completed",
  interrupted: turn.interrupted || turn.status === "interrupted" || turn.status === "timed_out",
  error: turn.failure === null || turn.status === "interrupted" ? null : errorText(turn.failure),
  api_calls: handed ? 1 : 0,
  usage: usageBody(turn.usage),
  cost: turn.cost ?? null,
  compacted,
  context,
  context_lost: turn.contextLost,
  accepted_without_end: acceptedWithoutEnd,
  thread_id: turn.threadId,
  agent_turn_id: turn.agentTurnId,
  duration_ms: turn.endedAt === null ? null : turn.endedAt - turn.submittedAt
})

/** What `GET …/turns` adds: the turn may not have ended yet. */
export const storedTurnBody = (result: TurnResult) => ({
  ...turnBody(result),
  kind: result.turn.kind,
  status: result.turn.status,
  prompt: result.turn.prompt,
  submitted_at: secondsOf(result.turn.submittedAt),
  ended_at: result.turn.endedAt === null ? null : secondsOf(result.turn.endedAt)
})

export const statusOf = ({ status }: TurnRecord): 200 | 502 | 504 =>
  status === "failed" ? 502 : status === "timed_out" ? 504 : 200

/** A turn that never got a process did not fail: nothing began, and it may be sent again. */
export const poolFullOf = ({ turn }: TurnResult): PoolFull | undefined =>
  turn.status === "failed" && turn.failure?.class === "pool_full"
    ? { code: "pool_full", status: 503, detail: turn.failure.message, retryAfterSeconds: 5 }
    : undefined

export const usageBody = (usage: Usage) => ({
  input_tokens: usage.inputTokens,
  cached_input_tokens: usage.cachedInputTokens,
  output_tokens: usage.outputTokens,
  reasoning_tokens: usage.reasoningTokens,
  total_tokens: usage.totalTokens
})

/** For an end of which the agent said nothing. */
const stopReasons: Readonly<Record<TurnStatus, StopReason | null>> = {
  queued: null,
  running: null,
  completed: "end_turn",
  interrupted: "cancelled",
  failed: "error",
  timed_out: "error"
}

/** The class first, so that a program can tell `not_delivered` (send it again) from `outcome_unknown` (look first). */
const errorText = (failure: Failure): string =>
  failure.stderr === undefined || failure.stderr === ""
    ? `${failure.class}: ${failure.message}`
    : `${failure.class}: ${failure.message}\n${failure.stderr}`
