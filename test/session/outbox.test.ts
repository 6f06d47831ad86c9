/** Commands that a crash, or a slow write, left between a step's commit and the world. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { killProcess } from "../services/AgentScript.ts"
import { app, commandsOf, ours, until, untilState, withRuntime } from "../services/harness.ts"

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

  it.effect("hands over no prompt of a turn that ended while the claim of its prompt was being stored", () => {
    const gate = Deferred.makeUnsafe<void>()
    let claims = 0
    const holdSecondClaim = (real: Ledger["Service"]): Ledger["Service"] => ({
      ...real,
      write: (entries) =>
        entries.some(({ _tag }) => _tag === "CommandClaimed") && ++claims === 2
          ? Effect.andThen(Deferred.await(gate), real.write(entries))
          : real.write(entries)
    })
    return Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      const { result } = yield* sessions.submit(ours, id, { prompt: "too late" })
      yield* untilState(id, "turning.running")
      yield* killProcess(id)
      const { turn } = yield* result
      assert.deepStrictEqual([turn.status, turn.failure?.class], ["failed", "crash"])
      yield* untilState(id, "idle.backingOff")
      yield* TestClock.adjust("300 millis")
      yield* untilState(id, "idle.awake")
      Deferred.doneUnsafe(gate, Effect.void)
      const next = yield* sessions.submit(ours, id, { prompt: "again" })
      assert.strictEqual((yield* next.result).finalText, "you said: again")
      assert.strictEqual(prompted(yield* commandsOf(id)), 2)
    }).pipe(withRuntime({}, {}, holdSecondClaim))
  })
})
