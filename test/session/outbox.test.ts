/** Commands that a crash, or a slow write, left between a step's commit and the world. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { app, commandsOf, ours, until, untilRunning, withRuntime } from "../services/harness.ts"

const prompted = (commands: ReadonlyArray<string>) => commands.filter((type) => type === "handPrompt").length

describe("the outbox", () => {
  it.effect("ticks off a prompt that was claimed before a crash, and the session takes its next turn", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const ledger = yield* Ledger
      const { id } = yield* sessions.create(app, {})
      // As a supervisor leaves it that died after the prompt was handed over, and before it was ticked off.
      const command = {
        session: id,
        step: 1,
        nth: 0,
        type: "handPrompt",
        params: { turn: 1 },
        once: true,
        claimed: true
      }
      yield* ledger.write([{ _tag: "CommandQueued", command }])
      const { result } = yield* sessions.submit(ours, id, { prompt: "hello" })
      assert.strictEqual((yield* result).finalText, "you said: hello")
      assert.strictEqual(prompted(yield* commandsOf(id)), 1)
      yield* until(
        "an empty outbox",
        Effect.map(ledger.outbox(id), (left) => left.every(({ type }) => type !== "handPrompt"))
      )
    }).pipe(withRuntime())
  )

  it.effect("keeps nothing of a prompt that is handed over: its commit has claimed it", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const ledger = yield* Ledger
      const { id } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      assert.deepStrictEqual(
        (yield* ledger.outbox(id)).filter(({ type }) => type === "handPrompt"),
        []
      )
    }).pipe(withRuntime())
  )
})
