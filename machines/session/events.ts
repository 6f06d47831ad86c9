/** The words of the session machine: what it remembers, what it hears, how a turn can come out. */
import type { QuotaPause } from "./quota.ts"
import { noPause } from "./quota.ts"
import type { Restarts } from "./restarts.ts"
import { noRestarts } from "./restarts.ts"

/** Why a turn or a start failed; `class` decides what happens next. */
export interface Failure {
  readonly class: string
  readonly message: string
  readonly stderr?: string
  /** Of class `quota`: when the agent says that it may be asked again, in milliseconds since 1970. */
  readonly retryAt?: number
}

export interface WaitingTurn {
  readonly turn: number
  readonly timeoutMillis: number
}

/** How a turn came out. The actor adds what the agent said meanwhile. */
export interface Settlement {
  readonly turn: number
  readonly status: "completed" | "interrupted" | "failed" | "timed_out"
  readonly stopReason: string
  readonly failure: Failure | null
  /** The agent's answer stands complete, and no end of the turn ever came. */
  readonly withoutEnd: boolean
}

export interface SessionContext {
  /** The turn that runs, or ran last; 0 before the first. */
  readonly turn: number
  readonly timeoutMillis: number
  /** Turns that wait in line behind it. */
  readonly queue: ReadonlyArray<WaitingTurn>
  /** A process was started and is not known to be gone. */
  readonly process: boolean
  /** Counts the processes, so that news of an old one is never taken for the new one's. */
  readonly generation: number
  readonly upSince: number | null
  /** The agent's own id of the conversation, to resume. */
  readonly thread: string | null
  /** No prompt was handed over in that conversation yet: there is nothing in it to resume, or to lose. */
  readonly unspoken: boolean
  /** Approvals that the agent waits for. */
  readonly approvals: ReadonlyArray<string>
  readonly restarts: Restarts
  /** Whether the agent's account is used up, and how long it is left alone for that. */
  readonly limit: QuotaPause
  /** Retiring ends in `closed`. */
  readonly closing: boolean
  /** The process that is being retired died, or never came up, in a way that counts against the budget. */
  readonly crashed: boolean
  /** Why it retires, backs off or is parked. */
  readonly reason: string
}

export const initialContext: SessionContext = {
  turn: 0,
  timeoutMillis: 0,
  queue: [],
  process: false,
  generation: 0,
  upSince: null,
  thread: null,
  unspoken: false,
  approvals: [],
  restarts: noRestarts,
  limit: noPause,
  closing: false,
  crashed: false,
  reason: ""
}

/** What happens has its time, and its dice, inside, so that the machine needs neither clock nor randomness. */
interface Death {
  readonly failure: Failure
  readonly at: number
  readonly jitter: number
}

export type SessionEvent =
  | {
      readonly type: "turn.submitted"
      readonly turn: number
      readonly timeoutMillis: number
      readonly queue: boolean
      readonly at: number
    }
  | {
      readonly type: "turn.ended"
      readonly turn: number
      readonly stopReason: string
      readonly failure: Failure | null
      readonly at: number
    }
  /** `turn`: that one and no other, whether it runs or waits in line. Absent: whichever runs. */
  | { readonly type: "interrupt.requested"; readonly reason: string; readonly turn?: number }
  | { readonly type: "approval.asked"; readonly id: string }
  | { readonly type: "approval.settled"; readonly id: string }
  /** The turn's time is up and no end has come, but the agent's answer stands complete. */
  | { readonly type: "turn.answered"; readonly turn: number }
  /** The agent says in its text that the turn was aborted. It may be at it all the same. */
  | { readonly type: "turn.aborted"; readonly turn: number }
  /** Nothing was heard since a tool ended, for longer than the watchdog allows. */
  | { readonly type: "agent.quiet" }
  | { readonly type: "slot.granted" }
  | { readonly type: "slot.refused"; readonly reason: string }
  | { readonly type: "process.ready"; readonly thread: string; readonly at: number }
  | ({ readonly type: "process.failed" } & Death)
  | ({ readonly type: "process.exited" } & Death)
  /** The kernel knows no process of this session any more. */
  | { readonly type: "process.gone" }
  /** The supervisor itself died, and the process with it. `failure` says what is known of the turn. */
  | { readonly type: "process.lost"; readonly failure: Failure }
  | { readonly type: "hibernate.requested"; readonly reason: string }
  | { readonly type: "close.requested"; readonly reason: string }
  /** Like a close, but a turn that runs is let finish. */
  | { readonly type: "expire.requested"; readonly reason: string }
  | { readonly type: "unpark.requested" }

/** These would fail the same way again: nothing restarts by itself, and the budget is left alone. */
const hopeless: ReadonlySet<string> = new Set(["auth", "config", "quota"])
/**
 * After these the process is not kept: not trusted with another turn, or of no use for as long as a used-up account is
 * left alone. The provider's other failures are not the process's.
 */
const parting: ReadonlySet<string> = new Set(["auth", "config", "crash", "protocol", "quota", "timeout"])

export const countsAgainstBudget = (failure: Failure): boolean => !hopeless.has(failure.class)
export const isFatalToProcess = (failure: Failure | null): boolean => failure !== null && parting.has(failure.class)
export const isOfQuota = (failure: Failure | null): failure is Failure => failure?.class === "quota"

/** What waits in line would meet the same end, so it is not tried. A quota is lifted by itself, and waited for. */
export const isNotRetryable = (event: SessionEvent): boolean =>
  "failure" in event && event.failure !== null && hopeless.has(event.failure.class) && !isOfQuota(event.failure)

type Why = (event: SessionEvent) => Failure | null

/** The parameters of `settleTurn`, from the turn that runs and the event that ends it. */
export const settling = (status: Settlement["status"], stopReason: string, why: Why, withoutEnd = false) => ({
  type: "settleTurn" as const,
  params: ({ context, event }: { readonly context: SessionContext; readonly event: SessionEvent }): Settlement => ({
    turn: context.turn,
    status,
    stopReason: event.type === "turn.ended" && event.failure === null ? event.stopReason : stopReason,
    failure: why(event),
    withoutEnd
  })
})

export const failureOf: Why = (event) => ("failure" in event ? event.failure : null)
export const reasonOf: Why = (event) =>
  "reason" in event ? { class: "interrupted", message: event.reason } : failureOf(event)
export const overdue =
  (message: string): Why =>
  () => ({ class: "timeout", message })
export const noSlot: Why = () => ({
  class: "pool_full",
  message: "Every agent process is at work and none came free in time. Try again, or raise TROUPE_MAX_PROCESSES."
})

/** The parameters of `settleQueued`: those that wait in line end with `why`, never having reached the agent. */
export const settlingQueue = (why: (context: SessionContext) => Failure) => ({
  type: "settleQueued" as const,
  params: ({ context }: { readonly context: SessionContext }) => ({
    turns: context.queue.map(({ turn }) => turn),
    failure: why(context)
  })
})

/** The same, where the failure at hand would be theirs too; otherwise nothing. */
export const settlingNotRetryableQueue = {
  type: "settleQueued" as const,
  params: ({ context, event }: { readonly context: SessionContext; readonly event: SessionEvent }) => ({
    turns: isNotRetryable(event) ? context.queue.map(({ turn }) => turn) : [],
    failure: failureOf(event) ?? { class: "crash", message: "" }
  })
}

/** One that waits in line is taken out of it. */
export const settlingWaiting = {
  type: "settleQueued" as const,
  params: ({ event }: { readonly event: SessionEvent }) => ({
    turns: event.type === "interrupt.requested" && event.turn !== undefined ? [event.turn] : [],
    failure: reasonOf(event) ?? { class: "interrupted", message: "" }
  })
}

/** Whoever waits in line through a pause is bound by their own deadline: where that comes first, waiting is in vain. */
export const outlastsPause =
  ({ limit }: Pick<SessionContext, "limit">) =>
  ({ timeoutMillis }: WaitingTurn): boolean =>
    timeoutMillis >= limit.pauseMillis

export const settlingExpiringQueue = {
  type: "settleQueued" as const,
  params: ({ context, event }: { readonly context: SessionContext; readonly event: SessionEvent }) => ({
    turns: context.queue.filter((waiting) => !outlastsPause(context)(waiting)).map(({ turn }) => turn),
    failure: {
      class: "quota",
      message: `This turn would have waited for longer than its own deadline. ${failureOf(event)?.message ?? ""}`
    }
  })
}
