/** The first start of an agent goes alone. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as FirstStart from "../../src/supervision/firstStart.ts"

const starts = () => {
  const alone = FirstStart.make()
  const begun: Array<string> = []
  /** A start that ends when it is let. */
  const start = (name: string, agent = "codex") => {
    const gate = Deferred.makeUnsafe<void, string>()
    const open = Effect.andThen(
      Effect.sync(() => begun.push(name)),
      Deferred.await(gate)
    )
    return Effect.map(Effect.forkChild(alone(agent, open), { startImmediately: true }), (fiber) => ({
      fiber,
      end: (exit: Exit.Exit<void, string> = Exit.void) =>
        Effect.andThen(
          Effect.sync(() => Deferred.doneUnsafe(gate, exit)),
          Fiber.await(fiber)
        )
    }))
  }
  return { begun, start }
}

describe("starts of one agent", () => {
  it.effect("the others wait for the first, and begin together when it is ready", () =>
    Effect.gen(function* () {
      const { begun, start } = starts()
      const first = yield* start("first")
      yield* start("second")
      yield* start("third")
      yield* start("of another agent", "other")
      assert.deepStrictEqual(begun, ["first", "of another agent"])
      yield* first.end()
      yield* Effect.yieldNow
      assert.deepStrictEqual(begun.slice(2), ["second", "third"])
      yield* start("fourth")
      assert.strictEqual(begun.at(-1), "fourth")
    })
  )

  it.effect("the others wait 5 s at most for one that hangs, and not for one that failed", () =>
    Effect.gen(function* () {
      const { begun, start } = starts()
      const hangs = yield* start("hangs")
      yield* start("behind it")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(begun, ["hangs", "behind it"])
      yield* hangs.end(Exit.fail("no"))
      yield* start("first again")
      yield* start("waits")
      assert.deepStrictEqual(begun.slice(2), ["first again"])
    })
  )

  it.effect("after ten minutes a start is the first again", () =>
    Effect.gen(function* () {
      const { begun, start } = starts()
      yield* (yield* start("first")).end()
      yield* TestClock.adjust("10 minutes")
      yield* start("renews")
      yield* start("waits")
      assert.deepStrictEqual(begun, ["first", "renews"])
    })
  )
})
