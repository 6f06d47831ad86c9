/**
 * The outcome of a turn, as every caller gets it: the library returns this, HTTP sends the same keys in snake_case.
 *
 * All keys are always present. Of a turn that still waits or runs, `stopReason` and `durationMs` are `null`.
 */
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type {
  ContextWindow,
  Failure,
  FailureClass,
  Message,
  RecoveredOutcome,
  StopReason,
  TurnResult,
  TurnStatus,
  Usage
} from "./Turn.ts"

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
  /** `<failure class>: <what happened and what to do>`, then the redacted end of the agent's stderr. */
  readonly error: string | null
  /** The class of that failure, alone; `null` where `error` is. */
  readonly errorClass: FailureClass | null
  /** 1 for a turn that reached the agent, 0 for one that never did. */
  readonly apiCalls: 0 | 1
  readonly usage: Usage
  /** What the turn cost; `null` where the agent does not report it. */
  readonly cost: Cost | null
  /** The agent made room in its context during this turn; of a compaction, whether it happened. */
  readonly compacted: boolean
  /** The agent's context window after the turn, in tokens; `null` where the agent does not report it. */
  readonly context: ContextWindow | null
  /** The agent does not know the turns before this one, because its conversation could not be resumed. */
  readonly contextLost: boolean
  /**
   * The agent's conversation came along from another node of the cluster, as it was at the end of that turn: of what
   * came after it the agent knows nothing. `null`: it was not moved before this turn.
   */
  readonly contextAsOf: number | null
  /** The session's directory did not come along to the node that has it now: the turn began in an empty one. */
  readonly workdirLost: boolean
  /** The agent's answer was complete and its end never came: at the deadline the answer was accepted. */
  readonly acceptedWithoutEnd: boolean
  /** The final text as the value that the turn's `outputSchema` asked for; `null`: none was asked for, or it is none. */
  readonly structured: unknown
  /** Why the final text is no such value, as a sentence; `null`: it is, or none was asked for. */
  readonly schemaMismatch: string | null
  /**
   * What the agent had finished of this turn although its end was not received, because Troupe or the process died: known
   * when the agent has been started again. The other keys stay what they were. `null`: nothing.
   */
  readonly recovered: RecoveredOutcome | null
  readonly threadId: string | null
  readonly agentTurnId: string | null
  /** From submission to end. */
  readonly durationMs: number | null
}

export const outcomeOf = ({
  acceptedWithoutEnd,
  compacted,
  context,
  events,
  finalText,
  handed,
  messages,
  recovered,
  schemaMismatch,
  structured,
  turn
}: TurnResult): TurnOutcome => ({
  ok: isTurnOk(turn.status),
  sessionId: turn.session,
  turnIndex: turn.index,
  stopReason: turn.stopReason ?? stopReasons[turn.status],
  finalText,
  events,
  messages,
  toolIterations: turn.toolIterations,
  completed: turn.status === "completed",
  partial: turn.status !== "completed",
  interrupted: turn.interrupted || turn.status === "interrupted" || turn.status === "timed_out",
  ...errorOf(turn.status, turn.failure),
  apiCalls: handed ? 1 : 0,
  usage: turn.usage,
  cost: turn.cost ?? null,
  compacted,
  context,
  contextLost: turn.contextLost,
  contextAsOf: turn.contextAsOf,
  workdirLost: turn.workdirLost,
  acceptedWithoutEnd,
  structured,
  schemaMismatch,
  recovered,
  threadId: turn.threadId,
  agentTurnId: turn.agentTurnId,
  durationMs: turn.endedAt === null ? null : turn.endedAt - turn.submittedAt
})

/** The agent did not fail, and no deadline ended the turn. */
export const isTurnOk = (status: TurnStatus): boolean => status !== "failed" && status !== "timed_out"

/** The stop reason where the agent gave none. */
const stopReasons: Readonly<Record<TurnStatus, StopReason | null>> = {
  queued: null,
  running: null,
  completed: "end_turn",
  interrupted: "cancelled",
  failed: "error",
  timed_out: "error"
}

/** A turn that was interrupted has no error: that was wished for. */
export const errorOf = (status: TurnStatus, failure: Failure | null) =>
  failure === null || status === "interrupted"
    ? { error: null, errorClass: null }
    : { error: errorText(failure), errorClass: failure.class }

/** The class comes first, so that a program can distinguish `not_delivered` (send it again) from `outcome_unknown` (look first). */
const errorText = (failure: Failure): string =>
  failure.stderr === undefined || failure.stderr === ""
    ? `${failure.class}: ${failure.message}`
    : `${failure.class}: ${failure.message}\n${failure.stderr}`

/** The refusal of a turn that never got a process slot. */
export interface NoProcessSlot {
  readonly code: "pool_full"
  readonly status: 503
  readonly detail: string
  readonly retryAfterSeconds: number
}

/** A turn that never got a process slot has no outcome but a refusal: nothing began, and it may be sent again. */
export const refusalIn = ({ turn }: TurnResult): NoProcessSlot | undefined =>
  turn.status === "failed" && turn.failure?.class === "pool_full"
    ? { code: "pool_full", status: 503, detail: turn.failure.message, retryAfterSeconds: 5 }
    : undefined
