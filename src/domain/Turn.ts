/** One turn of a conversation: its record, the ways in which it can end, and its result. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import { cut } from "./cut.ts"
import type { SessionId } from "./Ids.ts"
import type { PromptBlock } from "./PromptContent.ts"

/** ACP's stop reasons, and `error` for a turn that failed. */
export const StopReason = Schema.Literals([
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
  "error"
])
export type StopReason = typeof StopReason.Type

/** The longest deadline of a turn or a run that a request may ask for: a day. */
export const maxTimeoutMillis = 86_400_000

/** Also of what is no number, as a program without types may send it. */
export const isTimeout = (millis: number): boolean =>
  Number.isFinite(millis) && millis > 0 && millis <= maxTimeoutMillis

/**
 * Why a turn or a start failed. The class decides how the session's machine reacts (`machines/session/failures.ts`):
 * `crash`, `protocol` and `timeout` count against the restart budget; `auth`, `config` and `quota` are not retried, and
 * after `quota` the session is parked until the limit may be lifted; `model` is the provider's failure and ends no
 * process; after `limit` the session's processes took more memory, or were more, than the operator allows, and are ended;
 * after `conversation` no turn of this session can succeed, because the model refuses what was said before.
 */
export const FailureClass = Schema.Literals([
  "auth",
  "quota",
  "config",
  "model",
  "conversation",
  "crash",
  "protocol",
  "timeout",
  "limit",
  "not_delivered",
  "outcome_unknown",
  "pool_full",
  "interrupted"
])
export type FailureClass = typeof FailureClass.Type

/**
 * `message` says what happened and what to do about it; `stderr` is the redacted tail of the process's stderr. `retryAt`
 * (milliseconds since 1970) is when an account that is used up can be used again, as its agent says.
 */
export const Failure = Schema.Struct({
  class: FailureClass,
  message: Schema.String,
  stderr: Schema.optionalKey(Schema.String),
  retryAt: Schema.optionalKey(Schema.Finite)
})
export type Failure = typeof Failure.Type

/** How a process ended: by an exit code, or by a signal. */
export const ProcessExit = Schema.Struct({ code: Schema.NullOr(Schema.Int), signal: Schema.NullOr(Schema.String) })
export type ProcessExit = typeof ProcessExit.Type

/** The tokens of one turn; zeros where the agent reports none. */
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

/** More than any turn uses. A sum that is no safe integer could be stored and not be read back. */
const maxTokens = 1e12

/** A count, also as a string or with a fraction. What is no count, such as a negative number, counts nothing. */
export const tokensIn = (value: unknown): number => {
  const count = typeof value === "string" && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
  return typeof count === "number" && count >= 0 && count <= maxTokens ? Math.floor(count) : 0
}

const sum = (a: number, b: number) => Math.min(maxTokens, a + b)

/** No count gets greater than the greatest that is read of an agent. */
export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: sum(a.inputTokens, b.inputTokens),
  cachedInputTokens: sum(a.cachedInputTokens, b.cachedInputTokens),
  outputTokens: sum(a.outputTokens, b.outputTokens),
  reasoningTokens: sum(a.reasoningTokens, b.reasoningTokens),
  totalTokens: sum(a.totalTokens, b.totalTokens)
})

/**
 * The one stored outcome of a turn. `queued` and `running` are not outcomes yet.
 *
 * - `completed`: the agent ended it, with any stop reason.
 * - `interrupted`: a caller interrupted it, or the session was closed while it ran.
 * - `failed`: the agent failed (502).
 * - `timed_out`: a deadline or a watchdog ended it (504).
 */
export const TurnStatus = Schema.Literals(["queued", "running", "completed", "interrupted", "failed", "timed_out"])
export type TurnStatus = typeof TurnStatus.Type

/** How a session's last turn ended, and when (milliseconds since 1970): kept with the session, so that a list has it. */
export interface LastOutcome {
  readonly turn: number
  readonly status: Exclude<TurnStatus, "queued" | "running">
  readonly at: number
  /** The message is cut; the turn has all of it. */
  readonly failure: Pick<Failure, "class" | "message"> | null
}

const longestOutcomeMessage = 400

export const lastOutcomeOf = (
  turn: number,
  status: LastOutcome["status"],
  at: number,
  failure: Failure | null
): LastOutcome => ({
  turn,
  status,
  at,
  failure: failure === null ? null : { class: failure.class, message: cut(failure.message, longestOutcomeMessage) }
})

/** What a turn asks for in place of the session's own settings; what is absent is as the session has it. */
export const TurnSettings = Schema.Struct({
  model: Schema.optional(Schema.String),
  mode: Schema.optional(Schema.String),
  effort: Schema.optional(Schema.String),
  /** A JSON Schema, which the final text must match as JSON. */
  outputSchema: Schema.optional(Schema.Record(Schema.String, Schema.Json))
})
export type TurnSettings = typeof TurnSettings.Type

/** A prompt for an agent. */
export interface Prompt {
  /** All that is text, with the paths of files in front. */
  readonly text: string
  /** The whole prompt in order; never empty. */
  readonly blocks: ReadonlyArray<PromptBlock>
  readonly settings: TurnSettings
  /** What the agent's own spans belong to, where it traces (`traceparent`). Absent: nothing is known of a trace. */
  readonly traceparent?: string
}

export const textPrompt = (text: string): Prompt => ({ text, blocks: [{ type: "text", text }], settings: {} })

/** What is handed to the agent for a turn. */
export const promptOfTurn = ({
  content,
  givenContext,
  prompt: text,
  settings
}: Pick<TurnRecord, "content" | "prompt" | "settings" | "givenContext">): Prompt => {
  const blocks = content ?? [{ type: "text", text } as const]
  return givenContext === null
    ? { text, blocks, settings }
    : {
        text: `${givenContext}\n\n${text}`,
        blocks: [{ type: "text", text: `${givenContext}\n\n` }, ...blocks],
        settings
      }
}

/** A turn as the ledger stores it. Times are milliseconds since 1970; `null` = not yet. */
export interface TurnRecord {
  readonly session: SessionId
  /** Counts from 1 in each session. */
  readonly index: number
  readonly kind: "prompt" | "compact"
  readonly status: TurnStatus
  readonly prompt: string
  /** The whole prompt where it is more than its text; `null`: it is not. */
  readonly content: ReadonlyArray<PromptBlock> | null
  readonly settings: TurnSettings
  /** The earlier conversation that the agent is given in front of the prompt (`GivenContext`); `null`: none. */
  readonly givenContext: string | null
  readonly submittedAt: number
  readonly endedAt: number | null
  readonly stopReason: StopReason | null
  readonly usage: Usage
  readonly failure: Failure | null
  readonly interrupted: boolean
  readonly toolIterations: number
  readonly threadId: string | null
  readonly agentTurnId: string | null
  /** The agent does not know the turns before this one, because its conversation could not be resumed. */
  readonly contextLost: boolean
  /**
   * The agent's conversation came along from another node, as it was at the end of that turn; `null`: it did not have to.
   */
  readonly contextAsOf: number | null
  /** The session's directory did not come along to this node: the turn began in an empty one. */
  readonly workdirLost: boolean
  /** Absent where the agent does not report it. */
  readonly cost?: Cost
}

/** A deadline ends a turn as an interrupt would: what had arrived is kept, and the agent did not end the turn. */
export const isCutOff = (status: TurnStatus): boolean => status === "interrupted" || status === "timed_out"

/** It is over, and did not come out well. */
export const hasNotWorked = (status: TurnStatus): boolean => status === "failed" || isCutOff(status)

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
  "contextLost",
  "contextAsOf",
  "workdirLost"
] as const satisfies ReadonlyArray<keyof TurnRecord>

/** The begin of the abort marker. */
export const abortMarker = "<turn_aborted"

/**
 * Whether an agent's text says that its turn was aborted: codex marks this to its model with `<turn_aborted>`, and models
 * repeat the marker. In code blocks it does not count.
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
 * The result of a turn: its record, its events (the last one is its end), its messages (the new ones only), and the text
 * of its last agent message. Only the events are stored; the rest is computed from them.
 */
export interface TurnResult {
  readonly turn: TurnRecord
  readonly finalText: string
  readonly events: ReadonlyArray<AcpMessage>
  readonly messages: ReadonlyArray<Message>
  /** The agent made room in its context. For a compaction: whether it happened. */
  readonly compacted: boolean
  /** The agent's context window after the turn; `null`: the agent does not report it. */
  readonly context: ContextWindow | null
  /** The turn was handed to the agent. `false`: it ended, or still waits, without having reached it. */
  readonly handed: boolean
  /** The agent's answer was complete and its end never came: at the deadline the answer was accepted as the outcome. */
  readonly acceptedWithoutEnd: boolean
  /** The final text as the value that the turn's `outputSchema` asked for; `null`: none was asked for, or it is none. */
  readonly structured: unknown
  /** Why the final text is no such value, as a sentence; `null`: it is, or none was asked for. */
  readonly schemaMismatch: string | null
  /** Why the turn was interrupted, as who asked for it said; `null`: it was not, or nobody said. */
  readonly interruptReason: string | null
  /** `null`: nothing, or the end was received. */
  readonly recovered: RecoveredOutcome | null
}

/**
 * What the agent had finished of a turn whose end was not received, as the agent's own record has it: found when the
 * conversation was taken up again. `at` is when that was, in milliseconds since 1970.
 */
export interface RecoveredOutcome {
  readonly at: number
  readonly stopReason: StopReason
  readonly finalText: string
  /** Of the whole turn, its prompt included. Bounded: of a very long turn, the prompt and the end. */
  readonly messages: ReadonlyArray<Message>
}

/** In tokens. */
export interface ContextWindow {
  readonly used: number
  readonly size: number
}
