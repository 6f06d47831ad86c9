/** A session whose agent's account is used up: which turns wait, which are refused, and when it goes on. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { scratch } from "../ledger/samples.ts"
import { PerformedCommands } from "../services/ScriptedCommandHandler.ts"
import {
  app,
  commandsOf,
  ours,
  retire,
  runtimeIn,
  scriptLayer,
  stateOf,
  untilState,
  withRuntime
} from "../services/harness.ts"

/** The first turn finds the account used up while others wait behind it. */
const usedUp = (prompt: string, behind: ReadonlyArray<{ readonly prompt: string; readonly timeoutMillis: number }>) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const first = yield* sessions.submit(ours, id, { prompt })
    const waiting = yield* Effect.forEach(behind, (turn) => sessions.submit(ours, id, { ...turn, queue: true }))
    yield* retire(id, "idle.parked")
    return { id, sessions, first, waiting }
  })

const prompts = (id: SessionId) =>
  Effect.map(commandsOf(id), (types) => types.filter((type) => type === "handPrompt").length)

describe("a used-up account", () => {
  it.effect("a used-up account fails the turn that found it, and the queued turns run when its time has come", () =>
    Effect.gen(function* () {
      const { first, id, sessions, waiting } = yield* usedUp("fail-quota 300000", [
        { prompt: "second", timeoutMillis: 600_000 },
        { prompt: "third", timeoutMillis: 600_000 }
      ])
      assert.containSubset((yield* first.result).turn, { status: "failed", failure: { class: "quota" } })
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* stateOf(id), "idle.parked")
      assert.strictEqual(yield* prompts(id), 1)
      const { parked, process } = yield* sessions.get(ours, id)
      assert.strictEqual(parked?.reason, "used up")
      assert.deepStrictEqual([process.state, process.pid], ["parked", null])
      yield* TestClock.adjust("1 minute")
      const results = yield* Effect.forEach(waiting, ({ result }) => result)
      assert.deepStrictEqual(
        results.map(({ finalText, turn }) => [turn.status, finalText]),
        [
          ["completed", "you said: second"],
          ["completed", "you said: third"]
        ]
      )
      const parks = (yield* sessions.audit(id)).filter(({ action }) => action === "park")
      assert.containSubset(parks, [{ detail: { reason: "used up" } }])
      assert.isNull((yield* sessions.get(ours, id)).parked)
    }).pipe(withRuntime())
  )

  it.effect("a queued turn whose own deadline comes before the account's time fails at once", () =>
    Effect.gen(function* () {
      const { id, waiting } = yield* usedUp("fail-quota 300000", [{ prompt: "hasty", timeoutMillis: 299_000 }])
      const { handed, turn } = yield* waiting[0]!.result
      assert.containSubset(turn, { status: "failed", failure: { class: "quota" } })
      assert.include(turn.failure?.message, "longer than its own deadline. used up")
      assert.isFalse(handed)
      assert.strictEqual(yield* prompts(id), 1)
    }).pipe(withRuntime())
  )

  it.effect("a turn that does not queue is refused while the account is used up, with the time to try again", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* usedUp("fail-quota 300000", [])
      const refusal = yield* Effect.flip(sessions.submit(ours, id, { prompt: "now" }))
      assert.strictEqual(refusal._tag, "SessionParked")
      if (refusal._tag !== "SessionParked") return
      assert.isTrue(refusal.quota)
      const left = Math.ceil((refusal.until - (yield* Clock.currentTimeMillis)) / 1000)
      assert.strictEqual(refusal.retryAfterSeconds, left)
      assert.match(
        refusal.detail,
        new RegExp(`account is used up: used up\\. It may be tried again in ${left} s.*"queue": true`)
      )
      const hasty = { prompt: "soon", queue: true, timeoutMillis: 60_000 }
      assert.strictEqual((yield* Effect.flip(sessions.submit(ours, id, hasty)))._tag, "SessionParked")
      const patient = yield* sessions.submit(ours, id, { prompt: "later", queue: true, timeoutMillis: 300_000 })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* patient.result).finalText, "you said: later")
    }).pipe(withRuntime())
  )

  it.effect("a used-up account is tried again at once after an unpark", () =>
    Effect.gen(function* () {
      const { id, sessions, waiting } = yield* usedUp("fail-quota", [{ prompt: "second", timeoutMillis: 600_000 }])
      assert.isTrue(yield* sessions.unpark(id))
      assert.strictEqual((yield* waiting[0]!.result).finalText, "you said: second")
    }).pipe(withRuntime())
  )

  it.effect("a used-up account without a time is tried again after a minute, then less and less often", () =>
    Effect.gen(function* () {
      const { id, sessions, waiting } = yield* usedUp("fail-quota", [
        { prompt: "fail-quota", timeoutMillis: 600_000 },
        { prompt: "third", timeoutMillis: 600_000 }
      ])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* waiting[0]!.result).turn.failure?.class, "quota")
      yield* retire(id, "idle.parked")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stateOf(id), "idle.parked")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* waiting[1]!.result).turn.status, "completed")
      assert.isNull((yield* sessions.get(ours, id)).parked)
    }).pipe(withRuntime())
  )

  it.effect(
    "a pause for a used-up account survives a restart of Troupe, and its queued turn runs at the old time",
    () =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const { id } = yield* Effect.gen(function* () {
          return yield* usedUp("fail-quota 300000", [{ prompt: "second", timeoutMillis: 600_000 }])
        }).pipe(Effect.provide(runtimeIn(directory)))
        const performed = yield* PerformedCommands
        performed.clear()
        yield* Effect.gen(function* () {
          const sessions = yield* Sessions
          assert.strictEqual(yield* stateOf(id), "idle.parked")
          assert.strictEqual((yield* sessions.turn(ours, id, 2)).turn.status, "queued")
          yield* TestClock.adjust("5 minutes")
          yield* untilState(id, "idle.awake")
          assert.strictEqual((yield* sessions.turn(ours, id, 2)).finalText, "you said: second")
        }).pipe(Effect.provide(runtimeIn(directory)))
      }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a session that waits for its account closes at once, and its queued turn is interrupted", () =>
    Effect.gen(function* () {
      const { id, sessions, waiting } = yield* usedUp("fail-quota", [{ prompt: "second", timeoutMillis: 600_000 }])
      assert.deepStrictEqual(yield* sessions.close(ours, id), { alreadyClosed: false })
      assert.strictEqual((yield* waiting[0]!.result).turn.status, "interrupted")
    }).pipe(withRuntime())
  )
})
