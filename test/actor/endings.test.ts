/** What a turn's end means where the agent's words and its end do not agree, turned by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/actor/Sessions.ts"
import { app, commandsOf, inHouse, ours, settle, stateOf, until } from "./house.ts"

const turned = (prompt: string, timeoutMillis: number) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const turning = yield* sessions.submit(ours, id, { prompt, timeoutMillis })
    yield* until(id, "turning.running")
    yield* settle
    return { id, sessions, turning }
  })

describe("an answer whose turn never ends", () => {
  it.effect("is accepted at the deadline, said aloud, and its process is retired all the same", () =>
    Effect.gen(function* () {
      const { id, sessions, turning } = yield* turned("answer", 30_000)
      yield* TestClock.adjust("29 seconds")
      yield* settle
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
      yield* until(id, "retiring.asking")
      yield* TestClock.adjust("8 seconds")
      yield* until(id, "idle.asleep")
      assert.deepStrictEqual((yield* commandsOf(id)).slice(3), ["askToExit", "terminateProcess", "endProcess"])
      const ended = (yield* sessions.audit(id)).find(({ action }) => action === "turn_end")
      assert.containSubset(ended, { detail: { status: "completed", accepted_without_end: true } })
      const next = yield* sessions.submit(ours, id, { prompt: "and now?" })
      assert.strictEqual((yield* next.result).finalText, "you said: and now?")
    }).pipe(inHouse())
  )

  it.effect("is accepted by the watchdog too, where all that came after it is the end of a tool", () =>
    Effect.gen(function* () {
      const { id, turning } = yield* turned("answer meanwhile", 600_000)
      yield* TestClock.adjust("90 seconds")
      const { acceptedWithoutEnd, finalText, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd, finalText], ["completed", true, "Done."])
      yield* until(id, "retiring.asking")
    }).pipe(inHouse())
  )

  it.effect("was none where the agent began a tool after it", () =>
    Effect.gen(function* () {
      const { id, turning } = yield* turned("answer before", 600_000)
      yield* TestClock.adjust("90 seconds")
      const { acceptedWithoutEnd, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd], ["timed_out", false])
      yield* until(id, "idle.awake")
    }).pipe(inHouse())
  )

  it.effect("is none where the agent was still speaking", () =>
    Effect.gen(function* () {
      const { turning } = yield* turned("hang", 30_000)
      yield* TestClock.adjust("30 seconds")
      const { acceptedWithoutEnd, finalText, turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, acceptedWithoutEnd, finalText], ["timed_out", false, "thinking"])
    }).pipe(inHouse())
  )
})
