/**
 * The drain of a runtime that is about to stop.
 *
 * Sessions that are idle, and turns that no agent has yet, are let go of at once (`handOver.ts`). Turns that are with their
 * agents may finish within a deadline and are interrupted then. A turn that no agent has is left as it is: it was accepted,
 * and another node, or the next start of Troupe, goes on with it.
 */
import { Clock, Effect, Latch } from "effect"
import { Draining } from "../domain/Refusal.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { News } from "../runtime/News.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { SessionStops } from "../runtime/SessionStops.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import * as HandOver from "./handOver.ts"
import { Supervisor } from "./Supervisor.ts"

/** The deadlines of a retirement one after the other, with a margin. */
const retireWithin = "20 seconds"
/** Others need not know that this node drains, they only learn it with each request else. */
const tellWithin = "1 second"

const reason = "Troupe is shutting down"

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const drainState = yield* DrainState
  const handOver = yield* HandOver.make
  const news = yield* News
  const slots = yield* ProcessSlots
  const stops = yield* SessionStops
  const supervisor = yield* Supervisor
  const thisNode = yield* ThisNode
  let isEnding = false

  const atWork = () => supervisor.views().filter(handOver.isAtWork)
  const isEmpty = () => supervisor.views().length === 0 && commandHandler.sessionsWithProcess().length === 0

  /** Looked at after each step of any session, and now and then: the last process ends behind its session's last step. */
  const until = (isSo: () => boolean) =>
    Effect.gen(function* () {
      const changed = yield* Latch.make()
      yield* news.watch(null, () => void changed.openUnsafe())
      while (!isSo()) {
        yield* changed.close
        yield* Effect.raceFirst(changed.await, Effect.sleep("20 millis"))
      }
    }).pipe(Effect.scoped)

  return Effect.fn("Operator.drain")(function* (deadlineMillis: number) {
    if (isEnding) return
    isEnding = true
    drainState.drain()
    const began = yield* Clock.currentTimeMillis
    yield* Effect.timeoutOption(thisNode.renew, tellWithin)
    yield* Effect.timeoutOption(
      until(() => !supervisor.views().some(handOver.waits)),
      retireWithin
    )
    // After that: a request of a turn that waits would be refused, and the turn with it.
    slots.drain()
    const running = atWork().length
    if (running > 0) yield* Effect.logInfo(`draining: ${running} turns may finish first`)
    yield* Effect.timeoutOption(
      until(() => atWork().length === 0),
      deadlineMillis
    )
    const interrupt = { event: { type: "interrupt.requested", reason }, by: "troupe" } as const
    yield* Effect.forEach(atWork(), ({ record }) => Effect.ignore(supervisor.send(record.id, interrupt)), {
      concurrency: "unbounded",
      discard: true
    })
    yield* Effect.timeoutOption(
      until(() => atWork().length === 0),
      retireWithin
    )
    yield* Effect.timeoutOption(until(isEmpty), retireWithin)
    // What they wait for is on other nodes, or comes after the next start.
    stops.tellAll(new Draining({}))
    yield* Effect.logInfo(`drained in ${(yield* Clock.currentTimeMillis) - began} ms`)
  })
})
