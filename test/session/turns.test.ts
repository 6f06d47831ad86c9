/** Turns of a session and their watchdog, with a test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { AgentScript } from "../services/AgentScript.ts"
import { app, commandsOf, ours, retire, stateOf, untilRunning, untilState, withRuntime } from "../services/harness.ts"

const opened = Effect.gen(function* () {
  const sessions = yield* Sessions
  const { id } = yield* sessions.create(app, {})
  return { sessions, id }
})
const afterTurn = (prompt: string) =>
  Effect.gen(function* () {
    const { id, sessions } = yield* opened
    const turning = yield* sessions.submit(ours, id, { prompt })
    return { id, sessions, result: yield* turning.result }
  })

describe("a turn", () => {
  it.effect("a turn starts the process, ends with one outcome, and leaves the session awake", () =>
    Effect.gen(function* () {
      const { id, result, sessions } = yield* afterTurn("hello")
      assert.strictEqual(result.finalText, "you said: hello")
      assert.strictEqual(result.turn.status, "completed")
      assert.strictEqual(result.turn.stopReason, "end_turn")
      assert.strictEqual(result.turn.usage.totalTokens, 5)
      assert.deepStrictEqual(
        result.events.map((event) => ("method" in event ? event.method : event.id)),
        ["session/update", 1]
      )
      assert.deepStrictEqual(yield* commandsOf(id), ["takeSlot", "startProcess", "handPrompt"])
      const view = yield* sessions.get(ours, id)
      assert.deepStrictEqual([view.state, view.turnCount, view.process.state], ["idle", 1, "up"])
      assert.strictEqual(view.usage.inputTokens, 3)
    }).pipe(withRuntime())
  )

  it.effect("a turn streams exactly the events that it stores", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "words 300" })
      const streamed = yield* Stream.runCollect(turning.events)
      const { events, finalText } = yield* turning.result
      assert.deepStrictEqual(
        streamed.map(({ message }) => message),
        [...events]
      )
      assert.strictEqual(finalText.split(" ").length, 301)
      const seqs = streamed.map(({ seq }) => seq)
      assert.deepStrictEqual(
        seqs,
        [...seqs].sort((a, b) => a - b)
      )
    }).pipe(withRuntime())
  )

  it.effect("a turn says what its agent does not have of the session, in its stream and in its outcome", () =>
    Effect.gen(function* () {
      const script = yield* AgentScript
      const said = Effect.gen(function* () {
        const { id, result, sessions } = yield* afterTurn("hello")
        const ledger = yield* Ledger
        const messages = (yield* ledger.events(id, 0, 1_000)).flatMap(({ message }) =>
          "method" in message && /_(lost|restored)$/.test(message.method) ? [[message.method, message.params]] : []
        )
        const { contextAsOf, contextLost, workdirLost } = result.turn
        return { messages, contextAsOf, contextLost, workdirLost, cwd: (yield* sessions.get(ours, id)).cwd }
      })
      assert.containSubset(yield* said, { messages: [], contextAsOf: null, contextLost: false, workdirLost: false })
      script.has = { contextLost: "its file is gone" }
      const lost = yield* said
      assert.containSubset(lost, { contextAsOf: null, contextLost: true, workdirLost: false })
      assert.deepStrictEqual(lost.messages, [["_troupe/context_lost", { reason: "its file is gone", before_turn: 1 }]])
      script.has = { contextAsOf: 1, workdirLost: true }
      const restored = yield* said
      assert.containSubset(restored, { contextAsOf: 1, contextLost: false, workdirLost: true })
      assert.deepStrictEqual(restored.messages, [
        ["_troupe/context_restored", { as_of_turn: 1, before_turn: 1 }],
        ["_troupe/workdir_lost", { directory: restored.cwd, before_turn: 1 }]
      ])
    }).pipe(withRuntime())
  )

  it.effect("a turn stores fewer bytes than twice its text, however small the chunks", () =>
    Effect.gen(function* () {
      const { result } = yield* afterTurn("words 3000")
      const stored = result.events.map((event) => JSON.stringify(event).length).reduce((a, b) => a + b)
      assert.isBelow(stored, 2 * result.finalText.length)
    }).pipe(withRuntime())
  )

  it.effect("a turn is refused while another runs, and queued where it asks for that", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const first = yield* sessions.submit(ours, id, { prompt: "hang" })
      const refusal = yield* Effect.flip(sessions.submit(ours, id, { prompt: "second" }))
      assert.strictEqual(refusal._tag, "TurnInProgress")
      const second = yield* sessions.submit(ours, id, { prompt: "second", queue: true })
      const third = yield* sessions.submit(ours, id, { prompt: "third", queue: true })
      yield* untilRunning(id)
      assert.isTrue(yield* sessions.interrupt(ours, id))
      assert.strictEqual((yield* first.result).turn.status, "interrupted")
      assert.strictEqual((yield* second.result).finalText, "you said: second")
      assert.strictEqual((yield* third.result).turn.index, 3)
    }).pipe(withRuntime())
  )

  it.effect("a queue of turns is full at 16", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      yield* sessions.submit(ours, id, { prompt: "hang" })
      for (let n = 0; n < 16; n++) yield* sessions.submit(ours, id, { prompt: "next", queue: true })
      const refusal = yield* Effect.flip(sessions.submit(ours, id, { prompt: "too many", queue: true }))
      assert.strictEqual(refusal._tag, "QueueFull")
    }).pipe(withRuntime())
  )

  it.effect("a turn whose process dies has failed with the text so far, and the next turn gets a new process", () =>
    Effect.gen(function* () {
      const { id, result, sessions } = yield* afterTurn("die")
      assert.strictEqual(result.turn.status, "failed")
      assert.strictEqual(result.turn.failure?.class, "crash")
      assert.strictEqual(result.finalText, "half an ans")
      const next = yield* sessions.submit(ours, id, { prompt: "again" })
      // The backoff before the next start.
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* next.result).finalText, "you said: again")
      assert.strictEqual((yield* sessions.get(ours, id)).process.restarts, 1)
    }).pipe(withRuntime())
  )

  it.effect("a turn past its deadline is settled at once, and its process is asked to exit, terminated and ended", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "hang", timeoutMillis: 30_000 })
      yield* untilRunning(id)
      yield* TestClock.adjust("30 seconds")
      const { turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, turn.interrupted, turn.failure?.class], ["timed_out", true, "timeout"])
      yield* retire(id, "idle.asleep")
      const ladder = (yield* commandsOf(id)).slice(-3)
      assert.deepStrictEqual(ladder, ["askToExit", "terminateProcess", "endProcess"])
    }).pipe(withRuntime())
  )

  it.effect("an interrupt that is ignored is sent twice, then the process is retired", () =>
    Effect.gen(function* () {
      const script = yield* AgentScript
      script.isUnresponsive = true
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      const interrupting = yield* Effect.forkChild(sessions.interrupt(ours, id))
      yield* untilState(id, "turning.interrupting")
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(yield* Fiber.join(interrupting))
      assert.strictEqual((yield* turning.result).turn.status, "interrupted")
      assert.strictEqual((yield* commandsOf(id)).filter((type) => type === "interruptTurn").length, 2)
    }).pipe(withRuntime())
  )
})

describe("the watchdog", () => {
  it.effect("the watchdog interrupts an agent that went silent after a tool, and keeps a process that answers", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "tool" })
      yield* untilRunning(id)
      yield* TestClock.adjust("90 seconds")
      const { turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, turn.interrupted, turn.failure?.class], ["timed_out", true, "timeout"])
      assert.strictEqual(yield* stateOf(id), "idle.awake")
    }).pipe(withRuntime())
  )

  it.effect("the watchdog retires a process that does not answer its interrupt", () =>
    Effect.gen(function* () {
      const script = yield* AgentScript
      script.isUnresponsive = true
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "tool" })
      yield* untilRunning(id)
      yield* TestClock.adjust("90 seconds")
      yield* untilState(id, "turning.probing")
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* turning.result).turn.status, "timed_out")
      yield* untilState(id, "retiring.asking")
    }).pipe(withRuntime())
  )

  it.effect("the watchdog is disarmed by any other message of the agent", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      yield* sessions.submit(ours, id, { prompt: "tool talks" })
      yield* untilRunning(id)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* stateOf(id), "turning.running")
    }).pipe(withRuntime())
  )
})
