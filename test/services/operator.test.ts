/** The operator's drain. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { scratch } from "../ledger/samples.ts"
import { app, ours, runtimeIn, scriptLayer, stateOf, untilRunning } from "./harness.ts"

const submitted = (prompt: string) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* sessions.submit(ours, id, { prompt })
    return id
  })

describe("a drain", () => {
  it.effect("a drain interrupts the queued turns before the running one, so that none reaches the agent", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* Effect.gen(function* () {
        const sessions = yield* Sessions
        const runtime = yield* Operator
        const id = yield* submitted("hang")
        const second = yield* sessions.submit(ours, id, { prompt: "second", queue: true })
        const third = yield* sessions.submit(ours, id, { prompt: "third", queue: true })
        yield* untilRunning(id)
        const draining = yield* Effect.forkChild(runtime.drain(1_000), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        for (const { result } of [second, third]) {
          const { handed, turn } = yield* result
          assert.deepStrictEqual([turn.status, handed], ["interrupted", false])
          assert.include(turn.failure?.message, "shutting down")
        }
        // Both deadlines of a retirement.
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(draining)
        assert.strictEqual((yield* sessions.turn(ours, id, 1)).turn.status, "interrupted")
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a drain refuses new turns, waits for the running ones, and leaves every session asleep", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* Effect.gen(function* () {
        const sessions = yield* Sessions
        const runtime = yield* Operator
        const id = yield* submitted("hang")
        const idle = yield* submitted("hello")
        yield* untilRunning(id)
        const draining = yield* Effect.forkChild(runtime.drain(30_000), { startImmediately: true })
        assert.isFalse((yield* runtime.ready).ready)
        const refusal = yield* Effect.flip(sessions.submit(ours, idle, { prompt: "no" }))
        assert.strictEqual(refusal._tag, "Draining")
        assert.strictEqual((yield* Effect.flip(sessions.create(app, {})))._tag, "Draining")
        yield* TestClock.adjust("30 seconds")
        // Both deadlines of a retirement.
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(draining)
        assert.strictEqual((yield* sessions.turn(ours, id, 1)).turn.status, "interrupted")
        assert.deepStrictEqual([yield* stateOf(id), yield* stateOf(idle)], ["idle.asleep", "idle.asleep"])
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )
})
