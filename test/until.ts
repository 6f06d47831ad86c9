/**
 * Waits until a condition holds, without sleeping: it is checked at once and again after each notice of a change.
 *
 * Real time only bounds the wait. A condition that never holds fails the test with the condition's own words.
 */
import { Effect, Latch } from "effect"
import { TestClock } from "effect/testing"

/** Far longer than any condition takes; shorter than the test runner's own limit, which could not say what was missing. */
const deadline = "20 seconds"

/** Calls `notify` after each change that may matter; returns what ends the observation. */
export type Observe = (notify: () => void) => () => void

/** `what` completes the sentence "… did not happen within …"; it is asked when the wait has failed. */
export const untilNoticed = <E, R>(
  what: () => string,
  condition: Effect.Effect<boolean, E, R>,
  sources: ReadonlyArray<Observe>
) =>
  Effect.gen(function* () {
    const changed = yield* Latch.make()
    yield* Effect.acquireRelease(
      Effect.sync(() => sources.map((observe) => observe(() => void changed.openUnsafe()))),
      (ends) => Effect.sync(() => ends.forEach((end) => end()))
    )
    const check = Effect.gen(function* () {
      while (true) {
        // Closed before the check: a change during the check opens it again.
        yield* changed.close
        if (yield* condition) return
        yield* changed.await
        // An opened latch resumes this fiber inside the notifier's call: let the notifier finish first.
        yield* Effect.yieldNow
      }
    })
    const tooLate = Effect.andThen(
      TestClock.withLive(Effect.sleep(deadline)),
      Effect.suspend(() => Effect.die(new Error(`${what()} did not happen within ${deadline}`)))
    )
    yield* Effect.raceFirst(check, tooLate)
  }).pipe(Effect.scoped)

/** Listeners of one kind of change. */
export const makeNotices = () => {
  const listeners = new Set<() => void>()
  const observe: Observe = (notify) => {
    listeners.add(notify)
    return () => void listeners.delete(notify)
  }
  return { observe, notify: () => listeners.forEach((listener) => listener()) }
}
