/** Turns and one-shot runs: what an app has of one that succeeds, fails, is steered, is refused or is interrupted. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { claude } from "../harness.ts"
import type { Open } from "../Surface.ts"
import { expectRefusal, until } from "./answers.ts"

export const turns = (open: Open): void => {
  it.live("a turn takes its prompt to the agent and has the answer, its events and its end", () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const { sessionId } = yield* ours.create({})
      const turn = yield* ours.turn(sessionId, "hello there")
      assert.containSubset(turn, {
        ok: true,
        sessionId,
        turnIndex: 1,
        stopReason: "end_turn",
        completed: true,
        partial: false,
        interrupted: false,
        error: null,
        contextLost: false,
        contextAsOf: null,
        workdirLost: false,
        toolIterations: 0
      })
      assert.match(turn.finalText, /^You said: hello there/)
      assert.isTrue(turn.events.length >= 2)
      assert.isTrue(turn.events.slice(0, -1).every(({ method }) => method === "session/update"))
      assert.containSubset(turn.events.at(-1), { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } })
      assert.containSubset(turn.messages.at(-1), { role: "assistant", content: turn.finalText })
      assert.isAtLeast(turn.durationMs, 0)

      const second = yield* ours.turn(sessionId, "recall")
      assert.strictEqual(second.turnIndex, 2)
      assert.deepStrictEqual(JSON.parse(second.finalText), ["hello there"])
      const session = yield* ours.get(sessionId)
      assert.containSubset(session, { state: "idle", turnCount: 2, process: { state: "up" } })
      assert.isNumber(session.process.pid)

      const past = yield* ours.turns(sessionId)
      assert.deepStrictEqual(
        past.map(({ finalText, turnIndex }) => [turnIndex, finalText]),
        [
          [1, turn.finalText],
          [2, second.finalText]
        ]
      )
      assert.deepStrictEqual(past[0]?.events, turn.events)
    }).pipe(Effect.scoped)
  )

  it.live("a turn whose agent dies has what had arrived, and the next turn goes on", () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const { sessionId } = yield* ours.create({})
      yield* ours.turn(sessionId, "remember this")
      const died = yield* ours.turn(sessionId, "crash 7")
      assert.containSubset(died, { ok: false, completed: false, partial: true, stopReason: "error" })
      assert.match(died.error!, /^crash: /)
      assert.include(died.finalText, "About to crash.")
      const next = yield* ours.turn(sessionId, "recall")
      assert.isTrue(next.ok, JSON.stringify(next))
      assert.include(next.finalText, "remember this")
      assert.isFalse(next.contextLost)
      assert.strictEqual((yield* ours.get(sessionId)).process.restarts, 1)
    }).pipe(Effect.scoped)
  )

  it.live("words that steer a running turn are in the conversation where the agent took them", () =>
    Effect.gen(function* () {
      const { ours, theirs } = yield* open()
      const { sessionId } = yield* ours.create({ permissions: "approve_all" })
      yield* expectRefusal(ours.steer(sessionId, "anybody?"), 409, "no_turn")
      yield* ours.turn(sessionId, "hello")
      const running = yield* Effect.forkChild(ours.turn(sessionId, "tool echo first\nhang"))
      yield* until(ours.messages(sessionId), (messages) => messages.some(({ role }) => role === "tool"))
      yield* expectRefusal(theirs.steer(sessionId, "not mine"), 404, "session_not_found")
      yield* expectRefusal(theirs.messages(sessionId), 404, "session_not_found")
      yield* ours.steer(sessionId, "do this instead")
      const turn = yield* Fiber.join(running)
      assert.containSubset(turn, { completed: true, stopReason: "end_turn", apiCalls: 1, compacted: false })
      assert.match(turn.finalText, /You said: do this instead/)
      const messages = yield* ours.messages(sessionId)
      assert.deepStrictEqual(
        messages.map(({ role }) => role),
        ["user", "assistant", "user", "assistant", "tool", "user", "assistant"]
      )
      assert.deepStrictEqual(messages.slice(2), turn.messages)
      assert.deepStrictEqual(messages[5], { role: "user", content: "do this instead" })
      yield* expectRefusal(ours.compact(sessionId), 422, "not_supported")
      yield* ours.close(sessionId)
      yield* expectRefusal(ours.steer(sessionId, "too late"), 410, "session_closed")
      yield* expectRefusal(ours.compact(sessionId), 410, "session_closed")
      assert.deepStrictEqual(yield* ours.messages(sessionId), messages)
    }).pipe(Effect.scoped)
  )

  it.live("a second turn is refused while one runs, or waits in line", () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const { sessionId } = yield* ours.create({})
      const first = yield* Effect.forkChild(ours.turn(sessionId, "slow 20 20"))
      yield* until(ours.get(sessionId), ({ state }) => state === "turning")
      yield* expectRefusal(ours.turn(sessionId, "me too"), 409, "turn_in_progress")
      const waited = yield* ours.turn(sessionId, "I can wait", { queue: true })
      assert.containSubset(waited, { ok: true, turnIndex: 2 })
      assert.containSubset(yield* Fiber.join(first), { ok: true, turnIndex: 1 })
    }).pipe(Effect.scoped)
  )

  it.live("a turn that is submitted again under its key is the same turn, and another prompt is refused", () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const { sessionId } = yield* ours.create({})
      const keyed = { idempotencyKey: "mine" }
      const twice = [1, 2].map(() => ours.turn(sessionId, "slow 10 10", keyed))
      const [one, other] = yield* Effect.all(twice, { concurrency: "unbounded" })
      assert.deepStrictEqual(one, other)
      assert.strictEqual(one?.turnIndex, 1)
      yield* expectRefusal(ours.turn(sessionId, "another", keyed), 422, "idempotency_conflict")
      yield* ours.close(sessionId)
      assert.deepStrictEqual(yield* ours.turn(sessionId, "slow 10 10", keyed), one)
      assert.lengthOf(yield* ours.turns(sessionId), 1)
    }).pipe(Effect.scoped)
  )

  it.live("an interrupt ends the running turn, and says so where none runs", () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const { sessionId } = yield* ours.create({})
      assert.isFalse(yield* ours.interrupt(sessionId))
      const turning = yield* Effect.forkChild(ours.turn(sessionId, "hang"))
      yield* until(ours.get(sessionId), ({ process }) => process.state === "up")
      assert.isTrue(yield* ours.interrupt(sessionId))
      assert.containSubset(yield* Fiber.join(turning), {
        ok: true,
        completed: false,
        partial: true,
        interrupted: true,
        stopReason: "cancelled",
        error: null
      })
      assert.isTrue((yield* ours.turn(sessionId, "still there?")).ok)
    }).pipe(Effect.scoped)
  )

  it.live("a run takes one prompt through claude, and says what failed where it fails", () =>
    Effect.gen(function* () {
      const { ours } = yield* open({ run: claude('say {"answer":42}') })
      const done = yield* ours.run("what is it?")
      assert.deepStrictEqual(
        { ...done, durationMillis: 0 },
        {
          ok: true,
          result: { answer: 42 },
          durationMillis: 0,
          stopReason: "end_turn"
        }
      )
      const broken = yield* open({ run: claude("stderr it went wrong\nexit 3") })
      const failed = yield* broken.ours.run("what is it?")
      assert.containSubset(failed, { ok: false, stopReason: "error" })
      assert.deepStrictEqual(Object.keys(failed).sort(), ["durationMillis", "error", "ok", "stderr", "stopReason"])
      assert.include(failed.ok ? "" : failed.stderr, "it went wrong")
    }).pipe(Effect.scoped)
  )
}
