/** A session whose actor keeps dying is given up for a while: all who wait for it are told, and it is tried again by itself. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
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
})
