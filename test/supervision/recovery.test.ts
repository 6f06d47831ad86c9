/** What a runtime does on the ledger of a supervisor that died. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Duration, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { scratch } from "../ledger/samples.ts"
import { AgentScript } from "../services/AgentScript.ts"
import { PerformedCommands } from "../services/ScriptedCommandHandler.ts"
import { app, ours, runtimeIn, scriptLayer, stateOf, until, untilRunning, untilState } from "../services/harness.ts"

/** Two runtimes on one directory. The first ends as by a SIGKILL: it is not drained, and nothing is reported. */
const twice = <A, B, E, F>(
  first: Effect.Effect<A, E, Layer.Success<ReturnType<typeof runtimeIn>> | AgentScript | PerformedCommands>,
  second: (
    left: A
  ) => Effect.Effect<B, F, Layer.Success<ReturnType<typeof runtimeIn>> | AgentScript | PerformedCommands>,
  between: Duration.Input = 0
) =>
  Effect.gen(function* () {
    const directory = yield* scratch
    const left = yield* first.pipe(Effect.provide(runtimeIn(directory)))
    const performed = yield* PerformedCommands
    performed.clear()
    yield* TestClock.adjust(between)
    return yield* second(left).pipe(Effect.provide(runtimeIn(directory)))
  }).pipe(Effect.provide(scriptLayer), Effect.scoped)

const submitted = (prompt: string) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* sessions.submit(ours, id, { prompt })
    return id
  })

describe("recovery", () => {
  it.effect("after a supervisor's death, a turn whose prompt was handed over has one unknown outcome", () =>
    twice(
      Effect.tap(submitted("hang"), (id) => untilRunning(id)),
      (id) =>
        Effect.gen(function* () {
          const sessions = yield* Sessions
          const { turn } = yield* sessions.turn(ours, id, 1)
          assert.deepStrictEqual([turn.status, turn.failure?.class], ["failed", "outcome_unknown"])
          assert.strictEqual(yield* stateOf(id), "idle.asleep")
          const ends = (yield* (yield* Ledger).eventsOfTurn(id, 1)).filter(({ message }) => !("method" in message))
          assert.lengthOf(ends, 1)
          assert.deepStrictEqual((yield* PerformedCommands).all(), [])
        })
    )
  )

  /** A turn whose agent had not come up when its supervisor died. */
  const starting = Effect.gen(function* () {
    const script = yield* AgentScript
    script.start = "silent"
    const id = yield* submitted("hello")
    yield* untilState(id, "turning.starting")
    script.start = "ready"
    return id
  })

  it.effect("after a supervisor's death, a turn whose prompt was never handed over goes on", () =>
    twice(starting, (id) =>
      Effect.gen(function* () {
        yield* untilState(id, "idle.awake")
        const { finalText, turn } = yield* (yield* Sessions).turn(ours, id, 1)
        assert.deepStrictEqual([turn.status, finalText], ["completed", "you said: hello"])
        const prompts = (yield* PerformedCommands).of(id).filter(({ type }) => type === "handPrompt")
        assert.lengthOf(prompts, 1)
        const lost = (yield* (yield* Ledger).audit(id, 100)).find(({ action }) => action === "lost")
        assert.include(String(lost?.detail["reason"]), "The turn goes on.")
      })
    )
  )

  it.effect("after a supervisor's death, a turn goes on within the deadline that it had", () =>
    twice(
      starting,
      (id) =>
        Effect.gen(function* () {
          const sessions = yield* Sessions
          const ended = Effect.map(sessions.turn(ours, id, 1), ({ turn }) => turn.endedAt !== null)
          yield* until("the end of the turn", ended)
          const { turn } = yield* sessions.turn(ours, id, 1)
          assert.deepStrictEqual([turn.status, turn.failure?.class], ["timed_out", "timeout"])
        }),
      "11 minutes"
    )
  )

  it.effect("after a supervisor's death, a queued turn runs", () =>
    twice(
      Effect.gen(function* () {
        const id = yield* submitted("hang")
        yield* (yield* Sessions).submit(ours, id, { prompt: "me too", queue: true })
        yield* untilRunning(id)
        return id
      }),
      (id) =>
        Effect.gen(function* () {
          yield* untilState(id, "idle.awake")
          const { finalText, turn } = yield* (yield* Sessions).turn(ours, id, 2)
          assert.deepStrictEqual([turn.status, finalText], ["completed", "you said: me too"])
        })
    )
  )

  it.effect("after a supervisor's death, an idle session sleeps and its next turn resumes its thread", () =>
    twice(
      Effect.tap(submitted("hello"), (id) => untilState(id, "idle.awake")),
      (id) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* stateOf(id), "idle.asleep")
          const turning = yield* (yield* Sessions).submit(ours, id, { prompt: "again" })
          assert.strictEqual((yield* turning.result).turn.threadId, `thread of ${id}`)
          const start = (yield* PerformedCommands).all().find(({ type }) => type === "startProcess")
          assert.deepInclude(start?.params, { thread: `thread of ${id}` })
        })
    )
  )

  it.effect("after a supervisor's death, timers fire at their old deadline and their commands are performed", () =>
    twice(
      Effect.gen(function* () {
        const id = yield* submitted("die")
        yield* untilState(id, "idle.backingOff")
        return id
      }),
      (id) =>
        Effect.gen(function* () {
          const [timer] = yield* (yield* Ledger).timers(id)
          assert.include(timer?.timer, "backoff")
          assert.strictEqual(yield* stateOf(id), "idle.backingOff")
          yield* TestClock.setTime(timer!.dueAt)
          yield* untilState(id, "idle.awake")
          const done = (yield* PerformedCommands).all().map(({ type }) => type)
          assert.deepStrictEqual(done, ["takeSlot", "startProcess"])
        })
    )
  )
})
