/** Interrupts the turn that runs. It is done when the turn's end was emitted, and that is held until its commands are dead. */
import { Deferred, Effect, Exit } from "effect"
import type { Peer } from "../JsonRpc.ts"
import type { Translator } from "./Translator.ts"
import type { ActiveTurn, TurnDelivery } from "./TurnDelivery.ts"

const interruptWithinMillis = 4_500
const requestWithinMillis = 1_500

/** How long to wait for a sign that the turn began before the interrupt is requested again. */
const retryMillis = 100

export const make = (
  peer: Peer,
  thread: string,
  translator: Translator,
  delivery: TurnDelivery
): Effect.Effect<void> => {
  /** Until codex has begun the turn it answers "no active turn" and goes on, so the request is repeated. */
  const requestUntilOver = Effect.fnUntraced(function* (turn: ActiveTurn) {
    yield* Effect.ignore(Deferred.await(turn.identified))
    while (!Deferred.isDoneUnsafe(turn.over)) {
      const running = translator.running()
      if (running === null || running.agentTurnId === null) return yield* Deferred.await(turn.over)
      const params = { threadId: thread, turnId: running.agentTurnId }
      const reply = yield* Effect.result(peer.request("turn/interrupt", params, { timeoutMillis: requestWithinMillis }))
      const sign = reply._tag === "Success" || running.started ? turn.over : turn.started
      yield* Effect.timeoutOption(Deferred.await(sign), retryMillis)
    }
  })

  return Effect.suspend(() => {
    const turn = delivery.active()
    if (turn === null) return Effect.void
    turn.interrupting = true
    Deferred.doneUnsafe(turn.interrupted, Exit.void)
    return requestUntilOver(turn).pipe(
      Effect.timeoutOption(interruptWithinMillis),
      // Commands that can't be killed in time do not keep the turn's end back any longer.
      Effect.andThen(delivery.release)
    )
  })
}
