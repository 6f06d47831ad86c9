/** The timers of one life of a session: rows in the ledger, armed at the timekeeper, heard as letters. */
import { Effect, Queue } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import type { Envelope } from "./Envelope.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import { Timers } from "../runtime/Timers.ts"

export interface SessionTimers {
  readonly arm: (timer: string, dueAt: number, event: SessionEvent) => void
  readonly disarm: (timer: string) => void
  /** A letter that lay in the mailbox while its timer was disarmed, or armed anew, is not heard. */
  readonly isArmed: (timer: { readonly id: string; readonly arming: number }) => boolean
  /** The one that is due first, of those that are in the ledger. */
  readonly next: () => NextTimer | null
}

export interface NextTimer {
  readonly timer: string
  readonly dueAt: number
}

/** What a watch armed for itself ends with this life; the machine's own and the approvals' are rows. */
const isRow = (timer: string) => timer.startsWith("xstate.after.") || timer.startsWith("approval ")

export const make = Effect.fnUntraced(function* ({ id, mailbox }: SessionHandle) {
  const allTimers = yield* Timers
  const armed = new Map<string, { readonly arming: number; readonly dueAt: number }>()
  let armings = 0

  const timers: SessionTimers = {
    arm: (timer, dueAt, event) => {
      const arming = ++armings
      armed.set(timer, { arming, dueAt })
      const envelope: Envelope = { event: event as Envelope["event"], by: "troupe", timer: { id: timer, arming } }
      allTimers.arm(`${id} ${timer}`, dueAt, () => Queue.offerUnsafe(mailbox, envelope))
    },
    disarm: (timer) => {
      armed.delete(timer)
      allTimers.disarm(`${id} ${timer}`)
    },
    isArmed: ({ arming, id: timer }) => armed.get(timer)?.arming === arming,
    next: () => {
      let next: NextTimer | null = null
      for (const [timer, { dueAt }] of armed) {
        if (isRow(timer) && (next === null || dueAt < next.dueAt)) next = { timer, dueAt }
      }
      return next
    }
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => [...armed.keys()].forEach(timers.disarm)))
  return timers
})
