/**
 * Notices that the process did not run for a while: it was stopped, its machine slept, or the machine's clock was set.
 *
 * Deadlines are times of the wall clock. Without this all that lie in such an interval would pass at once when it ends,
 * before the answers that wait in the agents' pipes are read.
 */
import { Context, Effect, Layer } from "effect"

export interface SuspensionWatch {
  /**
   * Looks now, and calls every observer with how far the clock has moved while nothing ran, in milliseconds: negative where
   * it was set back. It also looks by itself every second.
   */
  readonly look: () => void
  readonly observe: (onSuspended: (millis: number) => void) => void
}

/** The default watches nothing: a test's clock jumps on purpose. */
export const Suspension = Context.Reference<SuspensionWatch>("troupe/runtime/Suspension", {
  defaultValue: () => ({ look: () => {}, observe: () => {} })
})

const beatMillis = 1_000
/** A busy process, or a collection of its garbage, is late by less. */
const toleratedMillis = 3_000

export const layer = Layer.effect(
  Suspension,
  Effect.gen(function* () {
    const observers: Array<(millis: number) => void> = []
    const run = Effect.runForkWith(yield* Effect.context())
    let expected = Date.now() + beatMillis

    const look = () => {
      const now = Date.now()
      const lost = now - expected
      expected = now + beatMillis
      if (Math.abs(lost) <= toleratedMillis) return
      for (const observer of observers) observer(lost)
      run(
        Effect.logWarning(
          lost > 0 ? `${missed(lost)}: deadlines are later by that` : `${setBack(lost)}: deadlines are earlier by that`
        )
      )
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(look, beatMillis).unref()),
      (interval) => Effect.sync(() => clearInterval(interval))
    )
    return { look, observe: (observer: (millis: number) => void) => void observers.push(observer) }
  })
)

const missed = (millis: number) =>
  `Troupe did not run for ${Math.round(millis / 1000)} s (stopped, asleep, without processor time, or its clock was set)`
const setBack = (millis: number) => `The machine's clock was set back by ${Math.round(-millis / 1000)} s`
