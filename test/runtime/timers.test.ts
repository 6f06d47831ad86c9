/** The timers of all sessions, on a test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Timers } from "../../src/runtime/Timers.ts"

describe("timers", () => {
  it.effect("timers fire in order of their due times, never when disarmed, and again when delivery failed", () =>
    Effect.gen(function* () {
      const timers = yield* Timers
      const fired: Array<string> = []
      const fire = (name: string) => () => fired.push(name) > 0
      timers.arm("late", 30, fire("late"))
      timers.arm("early", 10, fire("early"))
      timers.arm("never", 20, fire("never"))
      timers.disarm("never")
      timers.arm("moved", 5, fire("moved at its old time"))
      timers.arm("moved", 25, fire("moved"))
      let isFull = true
      timers.arm("to a full mailbox", 15, () => {
        fired.push(isFull ? "undelivered" : "delivered")
        isFull = !isFull
        return isFull
      })
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(fired, ["early", "undelivered", "moved", "late"])
      yield* TestClock.adjust(100)
      assert.strictEqual(fired.at(-1), "delivered")
      assert.strictEqual(timers.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )

  it.effect("an overdue timer fires at once, and disarmed timers do not accumulate", () =>
    Effect.gen(function* () {
      const timers = yield* Timers
      for (let n = 0; n < 10_000; n++) {
        timers.arm(`turn ${n % 10}`, 600_000 + n, () => true)
        timers.disarm(`turn ${n % 10}`)
      }
      let fired = false
      timers.arm("overdue", -5, () => (fired = true))
      yield* TestClock.adjust(1)
      assert.isTrue(fired)
      assert.strictEqual(timers.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )
})
