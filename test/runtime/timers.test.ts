/** The timers of all sessions, on a test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Timers } from "../../src/runtime/Timers.ts"

describe("the timekeeper", () => {
  it.effect("rings in order of what is due, never what was disarmed, and again where nobody heard", () =>
    Effect.gen(function* () {
      const timekeeper = yield* Timers
      const rung: Array<string> = []
      const ring = (name: string) => () => rung.push(name) > 0
      timekeeper.arm("late", 30, ring("late"))
      timekeeper.arm("early", 10, ring("early"))
      timekeeper.arm("never", 20, ring("never"))
      timekeeper.disarm("never")
      timekeeper.arm("moved", 5, ring("moved at its old time"))
      timekeeper.arm("moved", 25, ring("moved"))
      let deaf = true
      timekeeper.arm("deaf", 15, () => {
        rung.push(deaf ? "unheard" : "heard")
        deaf = !deaf
        return deaf
      })
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(rung, ["early", "unheard", "moved", "late"])
      yield* TestClock.adjust(100)
      assert.strictEqual(rung.at(-1), "heard")
      assert.strictEqual(timekeeper.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )

  it.effect("rings what is overdue at once, and forgets the dead of many short timers", () =>
    Effect.gen(function* () {
      const timekeeper = yield* Timers
      for (let n = 0; n < 10_000; n++) {
        timekeeper.arm(`turn ${n % 10}`, 600_000 + n, () => true)
        timekeeper.disarm(`turn ${n % 10}`)
      }
      let rung = false
      timekeeper.arm("overdue", -5, () => (rung = true))
      yield* TestClock.adjust(1)
      assert.isTrue(rung)
      assert.strictEqual(timekeeper.size(), 0)
    }).pipe(Effect.provide(Timers.layer))
  )
})
