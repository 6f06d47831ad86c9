/** The timers of one session while its actor runs: armed at `Timers`, and delivered as envelopes when they fire. */
import { Effect, Queue, Scope } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { NextTimer } from "../runtime/News.ts"
import { Timers } from "../runtime/Timers.ts"
import { approvalTimer } from "./approvalEntries.ts"
import type { CommittedStep } from "./commit.ts"
import type { Envelope } from "./Envelope.ts"
import type { HandleTimers, SessionHandle } from "./SessionHandle.ts"

/** `dueAt` is in milliseconds since 1970; `event` is what the machine receives then. */
export interface SessionTimer extends NextTimer {
  readonly event: SessionEvent
}

interface Armed extends Omit<SessionTimer, "timer"> {
  readonly arming: number
  readonly stored: boolean
}

export class SessionTimers implements HandleTimers {
  readonly #id: SessionId
  readonly #mailbox: Queue.Queue<Envelope>
  readonly #all: Timers["Service"]
  readonly #armed = new Map<string, Armed>()
  #armings = 0

  constructor({ id, mailbox }: SessionHandle, all: Timers["Service"]) {
    this.#id = id
    this.#mailbox = mailbox
    this.#all = all
  }

  /** Arms a timer that is a row of the ledger: the machine's own, or an approval's deadline. */
  arm(timer: SessionTimer): void {
    this.#arm(timer, true)
  }

  /** Arms a timer that ends with this actor. */
  armUnstored(timer: SessionTimer): void {
    this.#arm(timer, false)
  }

  disarm(timer: string): void {
    this.#armed.delete(timer)
    this.#all.disarm(`${this.#id} ${timer}`)
  }

  disarmAll(): void {
    for (const timer of this.#armed.keys()) this.disarm(timer)
  }

  /**
   * Takes the event of a timer that fired. `false`: it was disarmed, or armed anew, while the event lay in the mailbox. One
   * that is stored is disarmed by its step.
   */
  take({ arming, id: timer }: { readonly id: string; readonly arming: number }): boolean {
    const fired = this.#armed.get(timer)
    if (fired?.arming !== arming) return false
    if (!fired.stored) this.#armed.delete(timer)
    return true
  }

  /** The one that is due first, those that are not stored included. */
  next(): NextTimer | null {
    let next: NextTimer | null = null
    for (const [timer, { dueAt }] of this.#armed) {
      if (next === null || dueAt < next.dueAt) next = { timer, dueAt }
    }
    return next
  }

  unstored(): ReadonlyArray<SessionTimer> {
    return [...this.#armed].flatMap(([timer, { dueAt, event, stored }]) => (stored ? [] : [{ timer, dueAt, event }]))
  }

  /** Arms and disarms what a committed step has stored. */
  react({ approvals: { asked, decided }, at, decision, disarmed }: CommittedStep): void {
    for (const timer of disarmed) this.disarm(timer)
    for (const approval of decided) this.disarm(approvalTimer(approval.id))
    for (const { delayMillis, event, id: timer } of decision.arm) {
      this.arm({ timer, dueAt: at + delayMillis, event: event as SessionEvent })
    }
    if (asked === null) return
    const event = { type: "approval.settled", id: asked.id } as const
    this.arm({ timer: approvalTimer(asked.id), dueAt: asked.deadlineAt, event })
  }

  #arm({ dueAt, event, timer }: SessionTimer, stored: boolean): void {
    const arming = ++this.#armings
    this.#armed.set(timer, { arming, dueAt, event, stored })
    const envelope: Envelope = { event: event as Envelope["event"], by: "troupe", timer: { id: timer, arming } }
    const mailbox = this.#mailbox
    this.#all.arm(`${this.#id} ${timer}`, dueAt, () => Queue.offerUnsafe(mailbox, envelope))
  }
}

export const make = Effect.fnUntraced(function* (handle: SessionHandle) {
  const timers = new SessionTimers(handle, yield* Timers)
  yield* Scope.addFinalizer(
    yield* Effect.scope,
    Effect.sync(() => timers.disarmAll())
  )
  return timers
})
