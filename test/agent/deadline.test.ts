/** Deadlines of what agents are waited for, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Deadline from "../../src/agent/deadline.ts"
import { Suspension } from "../../src/domain/Suspension.ts"

describe("a deadline", () => {
  it.effect("passes after its time, where Troupe ran all the while", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Deadline.timeoutOption(Effect.never, 1_000), { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isTrue(Option.isNone(yield* Fiber.join(fiber)))
    })
  )

  it.effect("is later by the time in which Troupe was stopped, each time", () => {
    let stopped = 5_000
    let unnoticed = 0
    const watch = {
      observe: () => {},
      stoppedMillis: () => stopped,
      look: () => {
        stopped += unnoticed
        unnoticed = 0
      }
    }
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.never.pipe(Deadline.timeoutOrElse({ millis: 1_000, orElse: () => Effect.succeed("late") })),
        { startImmediately: true }
      )
      unnoticed = 700
      yield* TestClock.adjust(1_699)
      assert.isUndefined(fiber.pollUnsafe())
      unnoticed = 200
      yield* TestClock.adjust(200)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(fiber), "late")
    }).pipe(Effect.provideService(Suspension, watch))
  })
})
