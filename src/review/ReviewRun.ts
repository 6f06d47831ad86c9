/**
 * Runs one review: takes an envelope, decides, performs, until its machine has reached an end.
 *
 * A failure in a review is an event of that review; it ends the review and affects nothing else. The record is updated
 * as the review proceeds, so that a crash of Troupe loses only how it ended.
 */
import { Cause, Clock, Effect, Exit, Fiber, Queue } from "effect"
import type { Scope } from "effect"
import { begin, decide } from "../../machines/decide.ts"
import type { Decision, Timer } from "../../machines/decide.ts"
import type { ReviewEvent, ReviewMachine } from "../../machines/review/machine.ts"
import type { ReviewPatch } from "../ledger/Ledger.ts"
import * as ReviewCommandHandler from "./ReviewCommandHandler.ts"
import type { ReviewTask } from "./ReviewCommandHandler.ts"

export interface ReviewEnvelope {
  readonly event: ReviewEvent
  /** Set where a timer sent it: the arming that fired. */
  readonly timer?: Timer
}

export type ReviewMailbox = Queue.Queue<ReviewEnvelope>

const mailboxCapacity = 64
export const makeMailbox: Effect.Effect<ReviewMailbox> = Queue.bounded<ReviewEnvelope>(mailboxCapacity)

/**
 * `save` writes the record's progress: it must not fail, nor take longer than a write. The work of commands is forked
 * into `scope`.
 */
export const run = Effect.fnUntraced(function* (
  machine: ReviewMachine,
  task: ReviewTask,
  mailbox: ReviewMailbox,
  save: (progress: ReviewPatch) => Effect.Effect<void>,
  scope: Scope.Scope
) {
  const timers = new Map<string, { readonly timer: Timer; readonly fiber: Fiber.Fiber<unknown> }>()
  const commands = ReviewCommandHandler.make(task, (event) => Queue.offer(mailbox, { event }), scope)
  let { next: snapshot, ...first } = begin(machine, undefined)

  const progress = (): ReviewPatch => {
    const { iterations, usage } = snapshot.context
    return { iterations, usage, wrote: commands.writes() }
  }

  const disarm = (id: string) => {
    const armed = timers.get(id)
    timers.delete(id)
    return armed === undefined ? Effect.void : Fiber.interrupt(armed.fiber)
  }

  const carryOut = Effect.fnUntraced(function* (decision: Omit<Decision<ReviewMachine>, "next" | "handled">) {
    yield* Effect.forEach(decision.cancel, disarm, { discard: true })
    for (const timer of decision.arm) {
      const fire = Queue.offer(mailbox, { event: timer.event as ReviewEvent, timer })
      const fiber = yield* Effect.forkChild(Effect.andThen(Effect.sleep(timer.delayMillis), fire))
      timers.set(timer.id, { timer, fiber })
    }
    yield* Effect.forEach(decision.commands, commands.perform, { discard: true })
  })

  const loop = Effect.gen(function* () {
    yield* carryOut(first)
    while (snapshot.status === "active") {
      const { event, timer } = yield* Queue.take(mailbox)
      // A timer that was disarmed while its envelope lay in the mailbox is dropped.
      if (timer !== undefined && timers.get(timer.id)?.timer !== timer) continue
      const decision = decide(machine, snapshot, event)
      if (!decision.handled) continue
      snapshot = decision.next
      yield* carryOut(decision)
      if (snapshot.status === "active") yield* save(progress())
    }
  })

  const end = Effect.fnUntraced(function* (exit: Exit.Exit<void>) {
    const at = yield* Clock.currentTimeMillis
    const { ending, reason } = snapshot.context
    if (Exit.isSuccess(exit)) {
      return yield* save({ ...progress(), ended: { at, ending, reason: reason === "" ? null : reason } })
    }
    yield* save({
      ...progress(),
      ended: Cause.hasInterruptsOnly(exit.cause)
        ? { at, ending: "cancelled", reason: "Troupe was shutting down." }
        : { at, ending: "failed", reason: ReviewCommandHandler.reasonOf(exit.cause) }
    })
    yield* commands.abandon
  })
  yield* Effect.onExit(loop, end)
})
