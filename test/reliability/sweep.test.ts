/** A sweep in which one write fails: the next one does what is left, and each session's trail ends once. */
// First: see there.
import * as Faults from "./faults.ts"
import { afterAll, assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { app, ours, stateOf, withRuntime } from "../services/harness.ts"

afterAll(Faults.uninstall)

it.effect.each(["once", "answer lost"] as const)(
  "a session whose deletion a fault stopped is deleted later, with one line in its trail: %s",
  (mode) =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { sweep } = yield* Operator
      let nth = 0
      for (let failed: string | null = ""; failed !== null;) {
        nth += 1
        const { id } = yield* sessions.create(app, {})
        yield* sessions.close(ours, id)
        yield* TestClock.adjust("2 seconds")
        Faults.arm("ledger write", nth, mode)
        yield* Effect.ignore(sweep)
        failed = Faults.disarm().failed
        yield* sweep
        assert.strictEqual(yield* stateOf(id), "gone", `${nth}: ${failed}`)
        const actions = (yield* sessions.audit(id)).map(({ action }) => action)
        assert.deepStrictEqual(actions, ["create", "close", "sweep_delete"], `${nth}: ${failed}`)
      }
      assert.isAbove(nth, 4)
    }).pipe(withRuntime({ sessionHardTtlMillis: 1_000, sweepIntervalMillis: 3_600_000_000 }))
)
