/**
 * The body of a turn's result, and the status it is sent with.
 *
 * The keys are those of `TurnOutcome` in snake_case, in this order, always all of them. The text is made from these
 * objects and not by the contract's schema: a long turn has thousands of events, which came from the ledger and need no
 * second validation. A test decodes the body with the contract's `TurnResult`.
 */
import type { RecoveredOutcome, TurnRecord, TurnResult, Usage } from "../domain/Turn.ts"
import { outcomeOf } from "../domain/TurnOutcome.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"
import { secondsOf } from "./contract/wire.ts"
import type { SnakeCase } from "./contract/wire.ts"

type Spelled<A> = { readonly [K in keyof A as K extends string ? SnakeCase<K> : never]: A[K] }

/** Every key of an outcome under its wire name: `turnBody` does not compile while a key of `TurnOutcome` is missing. */
export type TurnBody = Omit<Spelled<TurnOutcome>, "usage" | "recovered"> & {
  readonly usage: Spelled<Usage>
  readonly recovered: Spelled<RecoveredOutcome> | null
}

export const turnBody = (outcome: TurnOutcome): TurnBody => ({
  ok: outcome.ok,
  session_id: outcome.sessionId,
  turn_index: outcome.turnIndex,
  stop_reason: outcome.stopReason,
  final_text: outcome.finalText,
  events: outcome.events,
  messages: outcome.messages,
  tool_iterations: outcome.toolIterations,
  completed: outcome.completed,
  partial: outcome.partial,
  interrupted: outcome.interrupted,
  error: outcome.error,
  error_class: outcome.errorClass,
  api_calls: outcome.apiCalls,
  usage: usageBody(outcome.usage),
  cost: outcome.cost,
  compacted: outcome.compacted,
  context: outcome.context,
  context_lost: outcome.contextLost,
  context_as_of: outcome.contextAsOf,
  workdir_lost: outcome.workdirLost,
  accepted_without_end: outcome.acceptedWithoutEnd,
  structured: outcome.structured,
  schema_mismatch: outcome.schemaMismatch,
  recovered: outcome.recovered === null ? null : recoveredBody(outcome.recovered),
  thread_id: outcome.threadId,
  agent_turn_id: outcome.agentTurnId,
  duration_ms: outcome.durationMs
})

/** The body of one turn of `GET …/turns`, which may not have ended yet. */
export const storedTurnBody = (result: TurnResult) => ({
  ...turnBody(outcomeOf(result)),
  kind: result.turn.kind,
  status: result.turn.status,
  prompt: result.turn.prompt,
  submitted_at: secondsOf(result.turn.submittedAt),
  ended_at: result.turn.endedAt === null ? null : secondsOf(result.turn.endedAt)
})

export const statusOf = ({ status }: TurnRecord): 200 | 502 | 504 =>
  status === "failed" ? 502 : status === "timed_out" ? 504 : 200

const recoveredBody = (recovered: RecoveredOutcome): Spelled<RecoveredOutcome> => ({
  at: secondsOf(recovered.at),
  stop_reason: recovered.stopReason,
  final_text: recovered.finalText,
  messages: recovered.messages
})

export const usageBody = (usage: Usage): Spelled<Usage> => ({
  input_tokens: usage.inputTokens,
  cached_input_tokens: usage.cachedInputTokens,
  output_tokens: usage.outputTokens,
  reasoning_tokens: usage.reasoningTokens,
  total_tokens: usage.totalTokens
})
