/**
 * Notices that the process did not run for a while: its own beat is late, by the wall clock or by the clock of its timers.
 */
import { Effect, Layer } from "effect"
import { Suspension } from "../domain/Suspension.ts"

const beatMillis = 1_000
/** A busy process, or a collection of its garbage, is late by less. */
const toleratedMillis = 3_000

export const layer = Layer.effect(
  Suspension,
  Effect.gen(function* () {
    const observers: Array<(millis: number) => void> = []
    const run = Effect.runForkWith(yield* Effect.context())
    let expected = Date.now() + beatMillis
    // The clock of timers: it stands still while the machine sleeps, and nobody sets it.
    let expectedTick = performance.now() + beatMillis
    let stopped = 0

    const look = () => {
      const tick = performance.now()
      const late = tick - expectedTick
      expectedTick = tick + beatMillis
      if (late > toleratedMillis) stopped += late
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
    return {
      look,
      observe: (observer: (millis: number) => void) => void observers.push(observer),
      stoppedMillis: () => stopped
    }
  })
)

const missed = (millis: number) =>
  `Troupe did not run for ${Math.round(millis / 1000)} s (stopped, asleep, without processor time, or its clock was set)`
const setBack = (millis: number) => `The machine's clock was set back by ${Math.round(-millis / 1000)} s`
