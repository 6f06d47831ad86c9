/** The sweeper: how long sessions and their audit rows are kept. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { existsSync } from "node:fs"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { opened } from "../ledger/samples.ts"
import { app, commandsOf, ours, stateOf, untilRunning, untilState, withRuntime } from "./harness.ts"

const hours = (n: number) => n * 3_600_000

describe("the sweeper", () => {
  it.effect("a session past its TTL is closed by the sweeper, deleted later, and leaves its audit trail", () =>
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

  it.effect("an audit trail is removed a quarter of a year after its session was deleted", () =>
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

  it.effect("a sweep reports what it closed and deleted, and does neither twice", () =>
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

  it.effect("a sweep goes on until nothing more is due", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const runtime = yield* Operator
      const closed = { state: "closed", substate: "closed", closedAt: 0, ownsCwd: false } as const
      const ids = Array.from({ length: 450 }, (_, n) => SessionId.make(`ses_${String(n).padStart(27, "0")}`))
      yield* ledger.write(ids.map((id) => opened({ id, createdAt: 0, ...closed })))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* runtime.sweep, { softClosed: 0, hardDeleted: 450 })
      assert.lengthOf(yield* ledger.deletedSessions(ids), 450)
    }).pipe(withRuntime({ sessionHardTtlMillis: 1_000, sweepIntervalMillis: hours(1) }))
  )

  it.effect("a session past its TTL closes after its running turn", () =>
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

  it.effect("the idle TTL counts from the session's last activity", () =>
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
