/** How turns end: the parameters of `settleTurn` and `settleQueued`, from the context and the event that ends them. */
import { failureOf, isNotRetryable, saidIn } from "./events.ts"
import type { SessionContext, SessionEvent, WaitingTurn } from "./events.ts"
import { outcomeUnknown } from "./failures.ts"
import type { Failure } from "./failures.ts"

/** How a turn came out. The commit adds what the agent reported meanwhile. */
export interface Settlement {
  readonly turn: number
  readonly status: "completed" | "interrupted" | "failed" | "timed_out"
  readonly stopReason: string
  readonly failure: Failure | null
  /** The agent's answer stands complete, and no end of the turn ever came. */
  readonly withoutEnd: boolean
}

export interface Given {
  readonly context: SessionContext
  readonly event: SessionEvent
}

type FailureOf = (event: SessionEvent) => Failure | null

/** The agent's own stop reason where it ended the turn without a failure; a text that says "aborted" outweighs it. */
const reportedStop = (event: SessionEvent): string | null => {
  if (event.type !== "turn.ended" || event.failure !== null) return null
  return saidIn(event).aborted ? "cancelled" : event.stopReason
}

const settleTurn = (status: Settlement["status"], stopReason: string, why: FailureOf, withoutEnd = false) => ({
  type: "settleTurn" as const,
  params: ({ context, event }: Given): Settlement => ({
    turn: context.turn,
    status,
    stopReason: reportedStop(event) ?? stopReason,
    failure: why(event),
    withoutEnd
  })
})

const timeout =
  (message: string): FailureOf =>
  () => ({ class: "timeout", message })

/** The reason that a request gave, as the failure of what it interrupted. */
const interruption: FailureOf = (event) =>
  "reason" in event ? { class: "interrupted", message: event.reason } : failureOf(event)

export const completed = settleTurn("completed", "end_turn", () => null)
/** What a turn's failure says where the machine itself ends it: they quote nobody. */
const own = {
  unserved: "Every agent process is at work and none came free in time. Try again, or raise TROUPE_MAX_PROCESSES.",
  unready: "The agent did not get ready in time; `troupe doctor` says why.",
  wentQuiet:
    "The agent said nothing for too long after a tool had ended (TROUPE_POST_TOOL_QUIET), or anywhere in the turn (TROUPE_TURN_QUIET), so the turn was interrupted.",
  overran: "The turn did not end within its deadline and was ended.",
  closed: "The session was closed before this turn began."
} as const

export const ownMessages: ReadonlySet<string> = new Set([...Object.values(own), outcomeUnknown.message])

/** Its answer counts although its end never came. */
export const accepted = settleTurn("completed", "end_turn", () => null, true)
export const failed = settleTurn("failed", "error", failureOf)
export const interrupted = settleTurn("interrupted", "cancelled", interruption)
export const unserved = settleTurn("failed", "error", () => ({
  class: "pool_full",
  message: own.unserved
}))
export const unready = settleTurn("timed_out", "error", timeout(own.unready))
export const wentQuiet = settleTurn("timed_out", "error", timeout(own.wentQuiet))
export const overran = settleTurn("timed_out", "error", timeout(own.overran))
/** A stored event of Troupe 0.1.0 carries the failure itself. */
export const lostAtWork = settleTurn("failed", "error", (event) => failureOf(event) ?? outcomeUnknown)

/** The turns that `which` picks from the line end with a failure, never having reached the agent. */
const settleQueued = (which: (given: Given) => ReadonlyArray<number>, why: (given: Given) => Failure) => ({
  type: "settleQueued" as const,
  params: (given: Given) => ({ turns: which(given), failure: why(given) })
})

const everyTurn = ({ context }: Given) => context.queue.map(({ turn }) => turn)

const dropAll = (why: (context: SessionContext) => Failure) => [
  settleQueued(everyTurn, ({ context }) => why(context)),
  "dropQueue" as const
]

export const close = [
  "noteReason" as const,
  "noteClosing" as const,
  ...dropAll(() => ({ class: "interrupted", message: own.closed }))
]

export const failQueue = dropAll(({ reason }) => ({ class: "crash", message: `The session is parked: ${reason}` }))

/** One turn is taken out of the line. */
export const leaveQueue = [
  settleQueued(
    ({ event }) => (event.type === "interrupt.requested" && event.turn !== undefined ? [event.turn] : []),
    ({ event }) => interruption(event) ?? { class: "interrupted", message: "" }
  ),
  "leaveQueue" as const
]

/** A turn in line waits through a pause within its own deadline: where that comes first, waiting is in vain. */
export const outlastsPause =
  ({ limit }: Pick<SessionContext, "limit">) =>
  ({ timeoutMillis }: WaitingTurn): boolean =>
    timeoutMillis >= limit.pauseMillis

/** The running turn fails, and with it those in line that would fail the same way or could not wait long enough. */
export const failedFor = [
  failed,
  "noteLimit" as const,
  settleQueued(
    (given) => (isNotRetryable(given.event) ? everyTurn(given) : []),
    ({ event }) => failureOf(event) ?? { class: "crash", message: "" }
  ),
  "dropNotRetryableQueue" as const,
  settleQueued(
    ({ context }) => context.queue.filter((waiting) => !outlastsPause(context)(waiting)).map(({ turn }) => turn),
    ({ event }) => ({
      class: "quota",
      message: `This turn would have waited for longer than its own deadline. ${failureOf(event)?.message ?? ""}`
    })
  ),
  "dropExpiringQueue" as const
]
