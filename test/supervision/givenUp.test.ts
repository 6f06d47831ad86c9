/** A session whose actor keeps dying is given up for a while: all who wait for it are told, and it is tried again by itself. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { DatabaseSync } from "node:sqlite"
import type { SessionId } from "../../src/domain/Ids.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { app, ours, stateOf, untilRunning, untilState, whileTimePasses, withRuntime } from "../services/harness.ts"

/** From now on the ledger refuses every step of the session, as a defect of ours would make it; the result mends it. */
const refuseSteps = (id: SessionId) =>
  Effect.map(Operator, ({ settings: { dataDir } }) => {
    const db = new DatabaseSync(`${dataDir}/ledger.sqlite`)
    db.exec(
      `CREATE TRIGGER broken BEFORE INSERT ON steps WHEN NEW.session = '${id}' BEGIN SELECT RAISE(ABORT, 'broken'); END`
    )
    return Effect.sync(() => {
      db.exec("DROP TRIGGER broken")
      db.close()
    })
  })

describe("a session whose every step is refused by the ledger", () => {
  it.effect(
    "fails those who wait for its turn, disturbs no other session, and is settled by itself when it can be",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const [broken, whole] = [yield* sessions.create(app, {}), yield* sessions.create(app, {})]
        const turning = yield* sessions.submit(ours, broken.id, { prompt: "hang" })
        const result = yield* Effect.forkChild(Effect.flip(turning.result))
        yield* untilRunning(broken.id)
        const mend = yield* refuseSteps(broken.id)

        const refused = yield* Effect.flip(sessions.interrupt(ours, broken.id))
        assert.deepInclude(
          { ...refused, code: refused.code, status: refused.status },
          { code: "unavailable", status: 500 }
        )
        const failure = yield* whileTimePasses(result)
        assert.deepInclude({ code: failure.code, status: failure.status }, { code: "unavailable", status: 500 })
        assert.match(failure.detail, /could not read what came of the turn/)
        assert.match(yield* (yield* Operator).metrics, /^troupe_actors_given_up_total(\{.*\})? 1$/m)

        const other = yield* (yield* sessions.submit(ours, whole.id, { prompt: "hello" })).result
        assert.strictEqual(other.turn.status, "completed")
        assert.strictEqual(yield* stateOf(broken.id), "turning.running")

        yield* mend
        yield* TestClock.adjust("5 seconds")
        yield* untilState(broken.id, "idle.asleep")
        const { turn } = yield* sessions.turn(ours, broken.id, 1)
        assert.deepStrictEqual([turn.status, turn.failure?.class], ["failed", "outcome_unknown"])
        const next = yield* (yield* sessions.submit(ours, broken.id, { prompt: "hello" })).result
        assert.strictEqual(next.turn.status, "completed")
      }).pipe(withRuntime())
  )

  it.effect("is tried again after 5 s, and after twice as long each time", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      const mend = yield* refuseSteps(id)
      yield* Effect.flip(sessions.interrupt(ours, id))
      yield* passUntil(1)
      yield* pass("4 seconds")
      assert.strictEqual(yield* givenUp, 1)
      yield* passUntil(2)
      yield* pass("8 seconds")
      assert.strictEqual(yield* givenUp, 2)
      yield* passUntil(3)
      yield* mend
    }).pipe(withRuntime())
  )
})

const givenUp = Effect.gen(function* () {
  const metrics = yield* (yield* Operator).metrics
  return Number(/^troupe_actors_given_up_total(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1])
})

/** In steps, between which the ledger has time to answer. */
const pass = (duration: Duration.Input) =>
  Effect.forEach(
    Array.from({ length: Duration.toMillis(duration) / 50 }),
    () => Effect.andThen(TestClock.adjust("50 millis"), TestClock.withLive(Effect.sleep("1 millis"))),
    { discard: true }
  )

const passUntil = (times: number) =>
  Effect.repeat(Effect.andThen(pass("50 millis"), givenUp), { until: (count) => count === times })

describe("a session whose actor dies of defects", () => {
  it.effect("is not given up for deaths that are a minute old", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      // In line, so that it is not unloaded in between.
      const prompts = ["defect", "defect", "defect", "hang", "defect", "hello"]
      const turns = yield* Effect.forEach(prompts, (prompt) =>
        sessions.submit(ours, id, { prompt, queue: true, ...(prompt === "hang" ? { timeoutMillis: 61_000 } : {}) })
      )
      const last = yield* Effect.forkChild(turns.at(-1)?.result ?? Effect.die("no turn"))
      assert.strictEqual((yield* whileTimePasses(last)).turn.status, "completed")
      const outcomes = yield* Effect.forEach(turns.keys(), (nth) => sessions.turn(ours, id, nth + 1))
      const [unknown, late] = ["outcome_unknown", "timeout"]
      assert.deepStrictEqual(
        outcomes.map(({ turn }) => turn.failure?.class),
        [unknown, unknown, unknown, late, unknown, undefined]
      )
      assert.strictEqual(yield* givenUp, 0)
    }).pipe(withRuntime())
  )

  it.effect("is given up at the fourth within a minute, and those in line are told", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      const turns = yield* Effect.forEach(["defect", "defect", "defect", "defect", "hello"], (prompt) =>
        sessions.submit(ours, id, { prompt, queue: true })
      )
      const last = yield* Effect.forkChild(Effect.flip(turns.at(-1)?.result ?? Effect.die("no turn")))
      assert.strictEqual((yield* whileTimePasses(last)).code, "unavailable")
      assert.strictEqual(yield* givenUp, 1)
    }).pipe(withRuntime())
  )
})
