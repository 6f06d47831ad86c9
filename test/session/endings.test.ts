/** How a turn ends where the agent's text and the end of its turn do not agree, and interrupts of one turn. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { AgentScript } from "../services/AgentScript.ts"
import { app, commandsOf, ours, stateOf, until, untilRunning, untilState, withRuntime } from "../services/harness.ts"

const turned = (prompt: string, timeoutMillis: number) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const turning = yield* sessions.submit(ours, id, { prompt, timeoutMillis })
    yield* untilRunning(id)
    return { id, sessions, turning }
  })

describe("an answer whose turn never ends", () => {
  it.effect(
    "a whole answer whose turn never ends is accepted at the deadline, marked as such, and its process is retired",
    () =>
      Effect.gen(function* () {
        const { id, sessions, turning } = yield* turned("answer", 30_000)
        yield* TestClock.adjust("29 seconds")
        assert.strictEqual(yield* stateOf(id), "turning.running")
        yield* TestClock.adjust("1 seconds")
        const { acceptedWithoutEnd, events, finalText, messages, turn } = yield* turning.result
        assert.containSubset(turn, { status: "completed", stopReason: "end_turn", interrupted: false, failure: null })
        assert.deepStrictEqual([acceptedWithoutEnd, finalText], [true, "Done."])
        assert.deepStrictEqual(messages.at(-1), { role: "assistant", content: "Done." })
        assert.containSubset(events.at(-1), {
          id: 1,
          result: { stopReason: "end_turn", _meta: { "troupe/accepted_without_end": true } }
        })
        yield* untilState(id, "retiring.asking")
        yield* TestClock.adjust("8 seconds")
        yield* untilState(id, "idle.asleep")
        assert.deepStrictEqual((yield* commandsOf(id)).slice(3), ["askToExit", "terminateProcess", "endProcess"])
        const ended = (yield* sessions.audit(id)).find(({ action }) => action === "turn_end")
        assert.containSubset(ended, { detail: { status: "completed", accepted_without_end: true } })
        const next = yield* sessions.submit(ours, id, { prompt: "and now?" })
        assert.strictEqual((yield* next.result).finalText, "you said: and now?")
      }).pipe(withRuntime())
  )

  it.effect("a whole answer is accepted by the watchdog too, where only the end of a tool came after it", () =>
    Effect.gen(function* () {
      const { id, turning } = yield* turned("answer meanwhile", 600_000)
      yield* TestClock.adjust("90 seconds")
      const { acceptedWithoutEnd, finalText, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd, finalText], ["completed", true, "Done."])
      yield* untilState(id, "retiring.asking")
    }).pipe(withRuntime())
  )

  it.effect("an answer is not accepted where the agent began a tool after it", () =>
    Effect.gen(function* () {
      const { id, turning } = yield* turned("answer before", 600_000)
      yield* TestClock.adjust("90 seconds")
      const { acceptedWithoutEnd, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd], ["timed_out", false])
      yield* untilState(id, "idle.awake")
    }).pipe(withRuntime())
  )

  it.effect("an incomplete answer is not accepted at the deadline", () =>
    Effect.gen(function* () {
      const { turning } = yield* turned("hang", 30_000)
      yield* TestClock.adjust("30 seconds")
      const { acceptedWithoutEnd, finalText, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd, finalText], ["timed_out", false, "thinking"])
    }).pipe(withRuntime())
  )
})

describe("a turn that says it was aborted", () => {
  const rowOf = (id: SessionId) => Effect.flatMap(Ledger, (ledger) => Effect.map(ledger.turn(id, 1), Option.getOrThrow))

  it.effect(
    "a turn that says it was aborted and ends well is interrupted in its row, its result and its messages",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id } = yield* sessions.create(app, {})
        const { finalText, messages, turn } = yield* (yield* sessions.submit(ours, id, { prompt: "abort" })).result
        const outcome = { status: "interrupted", interrupted: true, stopReason: "cancelled", failure: null } as const
        assert.containSubset(turn, outcome)
        assert.containSubset(yield* rowOf(id), outcome)
        assert.strictEqual(finalText, "As far as I got.")
        assert.deepStrictEqual(messages.slice(1), [{ role: "assistant", content: "As far as I got." }])
        assert.strictEqual(yield* stateOf(id), "idle.awake")
      }).pipe(withRuntime())
  )

  it.effect("a turn that says it was aborted and never ends is interrupted at the agent after 5 s", () =>
    Effect.gen(function* () {
      const { id, turning } = yield* turned("abort unended", 600_000)
      yield* TestClock.adjust("5 seconds")
      const { turn } = yield* turning.result
      assert.containSubset(turn, { status: "interrupted", stopReason: "cancelled" })
      assert.deepStrictEqual((yield* commandsOf(id)).slice(2), ["handPrompt", "interruptTurn"])
      yield* untilState(id, "idle.awake")
    }).pipe(withRuntime())
  )

  it.effect("a whole text that says so is waited for no longer", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      const { turn } = yield* (yield* sessions.submit(ours, id, { prompt: "abort whole" })).result
      assert.containSubset(turn, { status: "interrupted", stopReason: "cancelled" })
    }).pipe(withRuntime())
  )

  it.effect("a process that ignores the interrupt of its aborted turn is retired", () =>
    Effect.gen(function* () {
      const script = yield* AgentScript
      script.isUnresponsive = true
      const { id, turning } = yield* turned("abort unended", 600_000)
      yield* TestClock.adjust("5 seconds")
      yield* untilState(id, "turning.interrupting")
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* turning.result).turn.status, "interrupted")
      yield* untilState(id, "retiring.asking")
    }).pipe(withRuntime())
  )

  it.effect("a turn that quotes the marker of an aborted turn as code is not interrupted", () =>
    Effect.gen(function* () {
      const { id, sessions, turning } = yield* turned("quote-abort unended", 600_000)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stateOf(id), "turning.running")
      assert.isTrue(yield* sessions.interrupt(ours, id))
      assert.strictEqual((yield* turning.result).turn.failure, null)
      const ended = yield* sessions.submit(ours, id, { prompt: "quote-abort" })
      assert.strictEqual((yield* ended.result).turn.status, "completed")
    }).pipe(withRuntime())
  )
})

describe("the stored count of a turn's tool calls", () => {
  it.effect(
    "the stored count of a turn's tool calls equals the one readers get, a call that ends after its turn included",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const ledger = yield* Ledger
        const { id } = yield* sessions.create(app, {})
        const { turn } = yield* (yield* sessions.submit(ours, id, { prompt: "leave-tool" })).result
        assert.strictEqual(turn.toolIterations, 1)
        // Counts wait a moment for a commit that they can join: here for this one of nothing else.
        const isStored = (toolIterations: number) =>
          Effect.map(
            Effect.andThen(ledger.write([]), ledger.turn(id, 1)),
            (row) => Option.getOrThrow(row).toolIterations === toolIterations
          )
        yield* until("the count of 1", isStored(1))
        // The end of another call, after the turn's.
        const next = yield* sessions.submit(ours, id, { prompt: "end-left-tool" })
        yield* next.result
        assert.strictEqual((yield* sessions.turn(ours, id, 1)).turn.toolIterations, 2)
        yield* until("the count of 2", isStored(2))
        assert.strictEqual((yield* sessions.turn(ours, id, 2)).turn.toolIterations, 0)
      }).pipe(withRuntime())
  )
})

describe("an interrupt of one turn", () => {
  it.effect("an interrupt of a queued turn leaves the watchdog of the running turn armed", () =>
    Effect.gen(function* () {
      const { id, sessions, turning } = yield* turned("tool", 600_000)
      const second = yield* sessions.submit(ours, id, { prompt: "second", queue: true })
      assert.isTrue(yield* second.interrupt)
      yield* TestClock.adjust("90 seconds")
      const { turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, turn.failure?.class], ["timed_out", "timeout"])
    }).pipe(withRuntime())
  )

  it.effect("an interrupt of a queued turn ends that turn alone, which never reaches the agent", () =>
    Effect.gen(function* () {
      const { id, sessions, turning } = yield* turned("hang", 600_000)
      const second = yield* sessions.submit(ours, id, { prompt: "second", queue: true })
      const third = yield* sessions.submit(ours, id, { prompt: "third", queue: true })
      assert.isTrue(yield* second.interrupt)
      const { events, handed, turn } = yield* second.result
      assert.containSubset(turn, { status: "interrupted", stopReason: "cancelled", interrupted: true })
      assert.deepStrictEqual([handed, events.length], [false, 1])
      assert.strictEqual(yield* stateOf(id), "turning.running")
      assert.isFalse(yield* second.interrupt)
      assert.isTrue(yield* turning.interrupt)
      assert.strictEqual((yield* turning.result).turn.status, "interrupted")
      assert.strictEqual((yield* third.result).finalText, "you said: third")
      assert.isFalse(yield* turning.interrupt)
      const lines = (yield* sessions.audit(id)).filter(({ action }) => action === "interrupt")
      assert.deepStrictEqual(
        lines.map(({ detail }) => detail),
        [{ turn: 2 }, { turn: 1 }]
      )
    }).pipe(withRuntime())
  )
})
