/** The pool and the sweeper: how many processes there are, whose they are, and how long anything lives. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { existsSync } from "node:fs"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import {
  app,
  commandsOf,
  other,
  ours,
  retire,
  stateOf,
  theirs,
  untilBegun,
  untilRunning,
  untilState,
  withRuntime
} from "./harness.ts"

const hours = (n: number) => n * 3_600_000

describe("the pool", () => {
  it.effect("puts the session to sleep that has been idle longest, to make room for another", () =>
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

  it.effect("never holds more than its size, and lets nobody wait longer than the bound", () =>
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

  it.effect("serves the app that holds least before the one that asked first", () =>
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

  it.effect("does not restart a dead process at the cost of somebody's turn", () =>
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

describe("the sweeper", () => {
  it.effect("closes what is older than the TTL by itself, and later deletes it, with an audit trail that stays", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { cwd, id } = yield* sessions.create(app, {})
      yield* TestClock.adjust(hours(23))
      assert.strictEqual(yield* stateOf(id), "idle.asleep")
      yield* TestClock.adjust(hours(2))
      yield* untilState(id, "closed")
      yield* TestClock.adjust(hours(24 * 7 + 1))
      yield* untilState(id, "gone")
      const actions = (yield* sessions.audit(id)).map(({ action }) => action)
      assert.deepStrictEqual(actions, ["create", "sweep_close", "sweep_delete"])
      assert.isFalse(existsSync(cwd))
    }).pipe(withRuntime({ sweepIntervalMillis: hours(1) }))
  )

  it.effect("forgets an audit trail a quarter of a year after its session was deleted", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const ledger = yield* Ledger
      const { id } = yield* sessions.create(app, {})
      yield* TestClock.adjust(hours(24))
      yield* untilState(id, "gone")
      const lines = Effect.map(ledger.audit(id, 10), ({ length }) => length)
      yield* TestClock.adjust(hours(24 * 89))
      assert.strictEqual(yield* lines, 3)
      yield* TestClock.adjust(hours(24 * 2))
      assert.strictEqual(yield* lines, 0)
    }).pipe(withRuntime({ sessionTtlMillis: 1_000, sessionHardTtlMillis: 1_000, sweepIntervalMillis: hours(6) }))
  )

  it.effect("counts what it did, and does it once", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const runtime = yield* Operator
      yield* sessions.create(app, {})
      yield* sessions.create(app, {})
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 2, hardDeleted: 0 })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 0, hardDeleted: 2 })
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 0, hardDeleted: 0 })
    }).pipe(withRuntime({ sessionTtlMillis: 1_000, sessionHardTtlMillis: 1_000, sweepIntervalMillis: hours(1) }))
  )

  it.effect("lets a running turn finish, and closes after it", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const runtime = yield* Operator
      const { id } = yield* sessions.create(app, {})
      const turning = yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 1, hardDeleted: 0 })
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 0, hardDeleted: 0 })
      assert.strictEqual(yield* stateOf(id), "turning.running")
      yield* sessions.interrupt(ours, id)
      yield* turning.result
      yield* TestClock.adjust("10 seconds")
      yield* untilState(id, "closed")
    }).pipe(withRuntime({ sessionTtlMillis: 1_000, sweepIntervalMillis: hours(1) }))
  )

  it.effect("counts idleness from the last activity", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const runtime = yield* Operator
      const { id } = yield* sessions.create(app, {})
      yield* TestClock.adjust("50 seconds")
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* runtime.sweep).softClosed, 0)
      const ledger = yield* Ledger
      assert.isTrue(Option.isSome(yield* ledger.session(id)))
      yield* TestClock.adjust("20 minutes")
      yield* untilState(id, "closed")
      assert.include(yield* commandsOf(id), "endProcess")
    }).pipe(withRuntime({ sessionIdleTtlMillis: 60_000, sweepIntervalMillis: 300_000 }))
  )
})
