/** Process slots, seen by the sessions that compete for them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import {
  app,
  other,
  ours,
  retire,
  stateOf,
  theirs,
  untilBegun,
  untilRunning,
  untilState,
  withRuntime
} from "../services/harness.ts"

describe("process slots", () => {
  it.effect("the session that has been idle longest hibernates when another needs its slot", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const [a, b, c] = yield* Effect.forEach([1, 2, 3], () => sessions.create(app, {}))
      for (const { id } of [a!, b!]) {
        yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
        yield* TestClock.adjust("1 second")
      }
      const third = yield* sessions.submit(ours, c!.id, { prompt: "hello" })
      yield* untilState(a!.id, "retiring.asking")
      assert.strictEqual(yield* stateOf(b!.id), "idle.awake")
      yield* TestClock.adjust("8 seconds")
      yield* untilState(a!.id, "idle.asleep")
      assert.strictEqual((yield* third.result).turn.status, "completed")
    }).pipe(withRuntime({ maxProcesses: 2 }))
  )

  it.effect("a turn that waits for a slot fails after the longest wait", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const runtime = yield* Operator
      const busy = yield* sessions.create(app, {})
      const late = yield* sessions.create(app, {})
      yield* sessions.submit(ours, busy.id, { prompt: "hang" })
      yield* untilRunning(busy.id)
      const turning = yield* sessions.submit(ours, late.id, { prompt: "hello" })
      yield* untilBegun(late.id, "takeSlot")
      const { processes, waiting } = yield* runtime.counts
      assert.deepStrictEqual([processes, waiting], [1, 1])
      yield* TestClock.adjust("30 seconds")
      const { turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, turn.failure?.class], ["failed", "pool_full"])
      assert.strictEqual((yield* runtime.counts).waiting, 0)
    }).pipe(withRuntime({ maxProcesses: 1 }))
  )

  it.effect("a free slot goes to the app that holds fewest, before the one that asked first", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const open = (who: typeof app, caller: typeof ours | typeof theirs) =>
        Effect.gen(function* () {
          const { id } = yield* sessions.create(who, {})
          yield* sessions.submit(caller, id, { prompt: "hang" })
          return id
        })
      const first = yield* open(app, ours)
      const second = yield* open(app, ours)
      yield* untilRunning(second)
      const greedy = yield* open(app, ours)
      yield* untilBegun(greedy, "takeSlot")
      const modest = yield* open(other, theirs)
      yield* untilBegun(modest, "takeSlot")
      yield* sessions.interrupt(ours, first)
      yield* sessions.close(ours, first).pipe(Effect.forkChild)
      yield* retire(first, "closed")
      yield* untilRunning(modest)
      assert.strictEqual(yield* stateOf(greedy), "turning.queued")
    }).pipe(withRuntime({ maxProcesses: 2 }))
  )

  it.effect("the restart of a dead process takes no slot from another session's turn", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      yield* (yield* sessions.submit(ours, id, { prompt: "die" })).result
      yield* untilState(id, "idle.backingOff")
      const busy = yield* sessions.create(app, {})
      yield* sessions.submit(ours, busy.id, { prompt: "hang" })
      yield* untilRunning(busy.id)
      yield* TestClock.adjust("1 second")
      yield* untilState(id, "idle.asleep")
    }).pipe(withRuntime({ maxProcesses: 1 }))
  )
})
