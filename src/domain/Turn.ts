/** One turn of a conversation: what is asked, how it can end, and what is known of it afterwards. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type { SessionId } from "./Ids.ts"

/** ACP's stop reasons, and `error` for a turn that no stop reason describes. */
export const StopReason = Schema.Literals([
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
  "error"
])
export type StopReason = typeof StopReason.Type

/**
 * Why a turn or a start failed. The class decides what the supervisor does: `crash`, `protocol` and `timeout` count
 * against the restart budget; `auth`, `config` and `quota` never loop, and after `quota` the session is left alone until
 * the limit may be lifted; `model` is the provider's and costs no process.
 */
export const FailureClass = Schema.Literals([
  "auth",
  "quota",
  "config",
  "model",
  "crash",
  "protocol",
  "timeout",
  "not_delivered",
  "outcome_unknown",
  "pool_full",
  "interrupted"
])
export type FailureClass = typeof FailureClass.Type

/**
 * `message` says what happened and what to do about it; `stderr` is the redacted tail of the process's stderr. `retryAt`
 * (milliseconds since 1970) is when an agent whose account is used up says that it may be asked again.
 */
export const Failure = Schema.Struct({
  class: FailureClass,
  message: Schema.String,
  stderr: Schema.optionalKey(Schema.String),
  retryAt: Schema.optionalKey(Schema.Finite)
})
export type Failure = typeof Failure.Type

/** Tokens of one turn. An agent that reports none counts as zeros. */
export const Usage = Schema.Struct({
  inputTokens: Schema.Int,
  cachedInputTokens: Schema.Int,
  outputTokens: Schema.Int,
  reasoningTokens: Schema.Int,
  totalTokens: Schema.Int
})
export type Usage = typeof Usage.Type

export const noUsage: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  totalTokens: 0
}

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  totalTokens: a.totalTokens + b.totalTokens
})

/**
 * The one stored outcome of a turn. `queued` and `running` are not outcomes yet.
 *
 * - `completed`: the agent said it ended, whatever its stop reason.
 * - `interrupted`: somebody asked for it, or the session was closed under it.
 * - `failed`: the agent failed (502). - `timed_out`: a deadline or a watchdog ended it (504).
 */
export const TurnStatus = Schema.Literals(["queued", "running", "completed", "interrupted", "failed", "timed_out"])
export type TurnStatus = typeof TurnStatus.Type

/** What to ask of an agent. `text` is whole: paths of files already stand in front of it. */
export interface Prompt {
  readonly text: string
}

/** A turn as the ledger keeps it. Times are milliseconds since 1970; `null` = not yet. */
export interface TurnRecord {
  readonly session: SessionId
  /** Counts from 1 in each session. */
  readonly index: number
  readonly kind: "prompt" | "compact"
  readonly status: TurnStatus
  readonly prompt: string
  readonly submittedAt: number
  readonly endedAt: number | null
  readonly stopReason: StopReason | null
  readonly usage: Usage
  readonly failure: Failure | null
  readonly interrupted: boolean
  readonly toolIterations: number
  readonly threadId: string | null
  readonly agentTurnId: string | null
  /** The agent's memory of the turns before this one could not be brought back. */
  readonly contextLost: boolean
  /** Absent where its agent does not tell. */
  readonly cost?: Cost
}

/** The fields of a turn that may change after it was submitted. */
export const turnPatchKeys = [
  "status",
  "endedAt",
  "stopReason",
  "usage",
  "failure",
  "interrupted",
  "toolIterations",
  "threadId",
  "agentTurnId",
  "contextLost"
] as const satisfies ReadonlyArray<keyof TurnRecord>

/** How the marker of an abort begins. */
export const abortMarker = "<turn_aborted"

/**
 * An agent's text says that its turn was aborted: codex tells its model so with `<turn_aborted>`, and models repeat it.
 * In code it is only spoken of.
 */
export const saysAborted = (text: string): boolean =>
  text.includes(abortMarker) && /<turn_aborted\b/.test(text.replaceAll(/```[\s\S]*?(?:```|$)|`[^`\n]*`/g, ""))

/** A conversation message in OpenAI's shape. */
export interface Message {
  readonly role: "user" | "assistant" | "tool" | "system"
  readonly content: string | null
  readonly reasoning?: string
  readonly tool_calls?: ReadonlyArray<{
    readonly id: string
    readonly type: "function"
    readonly function: { readonly name: string; readonly arguments: string }
  }>
  readonly tool_call_id?: string
}

/**
 * What a turn came to: its record, its events (the last one is its end), its messages (the new ones only), and the text
 * of its last agent message. Text is kept once, in the events; the rest is read off them.
 */
export interface TurnResult {
  readonly turn: TurnRecord
  readonly finalText: string
  readonly events: ReadonlyArray<AcpMessage>
  readonly messages: ReadonlyArray<Message>
  /** The agent made room in its context: of a compaction, whether it happened. */
  readonly compacted: boolean
  /** Tokens in the agent's context window after the turn, and how many it takes; `null` where the agent says nothing. */
  readonly context: ContextWindow | null
  /** The turn was given to the agent. `false`: it ended, or still waits, without ever reaching one. */
  readonly handed: boolean
  /** The agent's answer stood complete and its end never came: at the deadline the answer was taken for the outcome. */
  readonly acceptedWithoutEnd: boolean
}

export interface ContextWindow {
  readonly used: number
  readonly size: number
}
