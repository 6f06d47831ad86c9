/** The timers of one life of a session: rows in the ledger, armed at the timekeeper, heard as letters. */
import { Effect, Queue } from "effect"
import type { SessionEvent } from "../../machines/session.ts"
import type { Letter } from "./Letter.ts"
import type { Residence } from "./Residence.ts"
import { Timekeeper } from "./Timekeeper.ts"

export interface Alarms {
  readonly arm: (timer: string, dueAt: number, event: SessionEvent) => void
  readonly disarm: (timer: string) => void
  /** A letter that lay in the mailbox while its timer was disarmed, or armed anew, is not heard. */
  readonly isArmed: (timer: { readonly id: string; readonly arming: number }) => boolean
}

export const make = Effect.fnUntraced(function* ({ id, mailbox }: Residence) {
  const timekeeper = yield* Timekeeper
  const armed = new Map<string, number>()
  let armings = 0

  const alarms: Alarms = {
    arm: (timer, dueAt, event) => {
      const arming = ++armings
      armed.set(timer, arming)
      const letter: Letter = { event: event as Letter["event"], by: "troupe", timer: { id: timer, arming } }
      timekeeper.arm(`${id} ${timer}`, dueAt, () => Queue.offerUnsafe(mailbox, letter))
    },
    disarm: (timer) => {
      armed.delete(timer)
      timekeeper.disarm(`${id} ${timer}`)
    },
    isArmed: ({ arming, id: timer }) => armed.get(timer) === arming
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => [...armed.keys()].forEach(alarms.disarm)))
  return alarms
})
