/** The timers of one session while its actor runs: armed at `Timers`, and delivered as envelopes when they fire. */
import { Effect, Queue } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import type { NextTimer } from "../runtime/News.ts"
import { Timers } from "../runtime/Timers.ts"
import { approvalTimer } from "./approvalEntries.ts"
import type { CommittedStep } from "./commit.ts"
import type { Envelope } from "./Envelope.ts"
import type { SessionHandle } from "./SessionHandle.ts"

/** `dueAt` is in milliseconds since 1970; `event` is what the machine receives then. */
export interface SessionTimer extends NextTimer {
  readonly event: SessionEvent
}

export interface SessionTimers {
  /** Arms a timer that is a row of the ledger: the machine's own, or an approval's deadline. */
  readonly arm: (timer: SessionTimer) => void
  /** Arms a timer that ends with this actor. */
  readonly armUnstored: (timer: SessionTimer) => void
  readonly disarm: (timer: string) => void
  /**
   * Takes the event of a timer that fired. `false`: it was disarmed, or armed anew, while the event lay in the mailbox. One
   * that is stored is disarmed by its step.
   */
  readonly take: (timer: { readonly id: string; readonly arming: number }) => boolean
  /** The one that is due first, those that are not stored included. */
  readonly next: () => NextTimer | null
  readonly unstored: () => ReadonlyArray<SessionTimer>
  /** Arms and disarms what a committed step has stored. */
  readonly react: (committed: CommittedStep) => void
}

interface Armed extends Omit<SessionTimer, "timer"> {
  readonly arming: number
  readonly stored: boolean
}

export const make = Effect.fnUntraced(function* ({ id, mailbox }: SessionHandle) {
  const allTimers = yield* Timers
  const armed = new Map<string, Armed>()
  let armings = 0

  const arm = ({ dueAt, event, timer }: SessionTimer, stored: boolean) => {
    const arming = ++armings
    armed.set(timer, { arming, dueAt, event, stored })
    const envelope: Envelope = { event: event as Envelope["event"], by: "troupe", timer: { id: timer, arming } }
    allTimers.arm(`${id} ${timer}`, dueAt, () => Queue.offerUnsafe(mailbox, envelope))
  }
  const disarm = (timer: string) => {
    armed.delete(timer)
    allTimers.disarm(`${id} ${timer}`)
  }

  yield* Effect.addFinalizer(() => Effect.sync(() => [...armed.keys()].forEach(disarm)))
  const timers: SessionTimers = {
    arm: (timer) => arm(timer, true),
    armUnstored: (timer) => arm(timer, false),
    disarm,
    take: ({ arming, id: timer }) => {
      const fired = armed.get(timer)
      if (fired?.arming !== arming) return false
      if (!fired.stored) armed.delete(timer)
      return true
    },
    next: () => {
      let next: NextTimer | null = null
      for (const [timer, { dueAt }] of armed) {
        if (next === null || dueAt < next.dueAt) next = { timer, dueAt }
      }
      return next
    },
    unstored: () =>
      [...armed].flatMap(([timer, { dueAt, event, stored }]) => (stored ? [] : [{ timer, dueAt, event }])),
    react: ({ approvals: { asked, decided }, at, decision, disarmed }) => {
      for (const timer of disarmed) disarm(timer)
      for (const approval of decided) disarm(approvalTimer(approval.id))
      for (const { delayMillis, event, id: timer } of decision.arm) {
        arm({ timer, dueAt: at + delayMillis, event: event as SessionEvent }, true)
      }
      if (asked === null) return
      const event = { type: "approval.settled", id: asked.id } as const
      arm({ timer: approvalTimer(asked.id), dueAt: asked.deadlineAt, event }, true)
    }
  }
  return timers
})
