/** What a session's steps mean for the slot that it holds. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { app, ours, retire, stateOf, untilBegun, untilRunning, untilState, withRuntime } from "../services/harness.ts"

/** A session that has done a turn, and has its process still. */
const awake = Effect.gen(function* () {
  const sessions = yield* Sessions
  const { id } = yield* sessions.create(app, {})
  yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
  yield* untilState(id, "idle.awake")
  return id
})

describe("a session's slot", () => {
  it.effect("is on its way back while the process retires: no other session is asked to make room", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const slots = yield* ProcessSlots
      const [idle, closing] = [yield* awake, yield* awake]
      yield* Effect.forkChild(sessions.close(ours, closing))
      yield* untilState(closing, "retiring.asking")
      const { id } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilBegun(id, "takeSlot")
      assert.deepStrictEqual(slots.state(), { busy: [], idle: [idle], leaving: [closing], waiting: [id] })
      yield* retire(closing, "closed")
      yield* untilRunning(id)
      assert.strictEqual(yield* stateOf(idle), "idle.awake")
    }).pipe(withRuntime({ maxProcesses: 2 }))
  )

  it.effect("is not asked for while a turn runs", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const slots = yield* ProcessSlots
      const busy = yield* awake
      yield* sessions.submit(ours, busy, { prompt: "hang" })
      yield* untilRunning(busy)
      const { id } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, id, { prompt: "hello" })
      yield* untilBegun(id, "takeSlot")
      assert.deepStrictEqual(slots.state(), { busy: [busy], idle: [], leaving: [], waiting: [id] })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* stateOf(busy), "turning.running")
    }).pipe(withRuntime({ maxProcesses: 1 }))
  )
})
