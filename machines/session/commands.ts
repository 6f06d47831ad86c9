/** The orders of the session machine, with what each carries: actions as data, named once and used by its arrows. */
import {
  failureOf,
  reasonOf,
  noSlot,
  overdue,
  settling,
  settlingNotRetryableQueue,
  settlingExpiringQueue,
  settlingQueue,
  settlingWaiting
} from "./events.ts"
import type { SessionContext } from "./events.ts"

type Given = { readonly context: SessionContext }
const ofThisProcess = ({ context }: Given) => ({ generation: context.generation })
const ofThisTurn = ({ context }: Given) => ({ turn: context.turn })

export const openTurn = {
  type: "openTurn" as const,
  params: ({ context }: Given) => ({ turn: context.turn, timeoutMillis: context.timeoutMillis })
}
export const handPrompt = [{ type: "handPrompt" as const, params: ofThisTurn }, "notePrompted" as const]
export const askToExit = { type: "askToExit" as const, params: ofThisProcess }
export const terminateProcess = { type: "terminateProcess" as const, params: ofThisProcess }
export const endProcess = { type: "endProcess" as const, params: ofThisProcess }
export const interruptTurn = { type: "interruptTurn" as const, params: ofThisTurn }
export const releaseSlot = { type: "releaseSlot" as const, params: ofThisProcess }
/** Counts first: the command carries the new process's number. */
export const startProcess = [
  "countProcess" as const,
  {
    type: "startProcess" as const,
    params: ({ context: { generation, thread, unspoken } }: Given) => ({
      generation,
      thread: unspoken ? null : thread
    })
  }
]
export const takeSlot = (urgent: boolean) => ({
  type: "takeSlot" as const,
  params: ({ context }: Given) => ({ urgent, notBefore: urgent ? context.restarts.retryAt : 0 })
})

export const completed = settling("completed", "end_turn", () => null)
export const accepted = settling("completed", "end_turn", () => null, true)
export const failed = settling("failed", "error", failureOf)
export const interrupted = settling("interrupted", "cancelled", reasonOf)
export const unserved = settling("failed", "error", noSlot)
export const unready = settling(
  "timed_out",
  "error",
  overdue("The agent did not get ready in time; `troupe doctor` says why.")
)
export const wentQuiet = settling(
  "timed_out",
  "error",
  overdue(
    "The agent said nothing for too long after a tool had ended (TROUPE_POST_TOOL_QUIET), so the turn was interrupted."
  )
)
export const overran = settling(
  "timed_out",
  "error",
  overdue("The turn did not end within its deadline and was ended.")
)

const emptyQueue = [
  settlingQueue(() => ({ class: "interrupted", message: "The session was closed before this turn began." })),
  "dropQueue" as const
]
export const failQueue = [
  settlingQueue((context) => ({ class: "crash", message: `The session is parked: ${context.reason}` })),
  "dropQueue" as const
]
/** The turn that runs, and of those behind it the ones that can't wait for better days. */
export const failedFor = [
  failed,
  "noteLimit" as const,
  settlingNotRetryableQueue,
  "dropNotRetryableQueue" as const,
  settlingExpiringQueue,
  "dropExpiringQueue" as const
]
export const leaveQueue = [settlingWaiting, "leaveQueue" as const]
export const close = ["noteReason" as const, "noteClosing" as const, ...emptyQueue]
