/** What whoever waited for a turn's end is told of it is what the ledger has, however it ended. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { SubmitTurn } from "../../src/services/Sessions.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { app, ours, untilRunning, withRuntime } from "./harness.ts"

const outputSchema = { type: "object", properties: { a: { type: "number" } } }

const prompts: ReadonlyArray<readonly [ends: string, SubmitTurn]> = [
  ["completed", { prompt: "hello" }],
  ["completed", { prompt: "hello", settings: { model: "small", outputSchema } }],
  ["completed", { prompt: "hello", messages: [{ role: "user", content: "what was said before" }] }],
  ["failed", { prompt: "fail-quota" }],
  ["failed", { prompt: "die" }]
]

for (const [ends, turn] of prompts) {
  it.effect(`a turn that is ${ends}: ${JSON.stringify(turn)}`, () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      // The first wakes the agent: its row is patched once more than that of a later one.
      for (let index = 1; index <= 2; index++) {
        const accepted = yield* Effect.option(sessions.submit(ours, id, turn))
        // Its agent is used up for now: then there is no second turn.
        if (accepted._tag === "None" && index > 1) break
        if (accepted._tag === "None") return assert.fail("the first turn was not accepted")
        const told = yield* accepted.value.result
        assert.strictEqual(told.turn.status, ends)
        assert.deepStrictEqual(told, yield* sessions.turn(ours, id, index))
        yield* TestClock.adjust("1 minute")
      }
    }).pipe(withRuntime())
  )
}

it.effect("a turn that waited in line, and one that was interrupted", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const first = yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    const second = yield* sessions.submit(ours, id, { prompt: "hello", queue: true })
    yield* sessions.interrupt(ours, id)
    const [interrupted, completed] = [yield* first.result, yield* second.result]
    assert.deepStrictEqual([interrupted.turn.status, completed.turn.status], ["interrupted", "completed"])
    assert.deepStrictEqual(interrupted, yield* sessions.turn(ours, id, 1))
    assert.deepStrictEqual(completed, yield* sessions.turn(ours, id, 2))
  }).pipe(withRuntime())
)
