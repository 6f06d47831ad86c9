/** The operator's drain. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { Supervisor } from "../../src/supervision/Supervisor.ts"
import { scratch } from "../ledger/samples.ts"
import { AgentScript } from "./AgentScript.ts"
import {
  app,
  ours,
  runtimeIn,
  scriptLayer,
  stateOf,
  until,
  untilBegun,
  untilRunning,
  untilState,
  whileTimePasses
} from "./harness.ts"

const submitted = (prompt: string) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* sessions.submit(ours, id, { prompt })
    return id
  })

describe("a drain", () => {
  it.effect("a drain leaves the turns that no agent has yet to the next runtime, which runs them", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const id = yield* Effect.gen(function* () {
        const sessions = yield* Sessions
        const runtime = yield* Operator
        const id = yield* submitted("hang")
        const second = yield* sessions.submit(ours, id, { prompt: "second", queue: true })
        const third = yield* sessions.submit(ours, id, { prompt: "third", queue: true })
        yield* untilRunning(id)
        const waiters = yield* Effect.forEach([second, third], ({ result }) => Effect.forkChild(Effect.flip(result)))
        const draining = yield* Effect.forkChild(runtime.drain(1_000), { startImmediately: true })
        yield* whileTimePasses(draining)
        for (const waiter of waiters) {
          const { code, status } = yield* Fiber.join(waiter)
          assert.deepInclude({ code, status }, { code: "draining", status: 503 })
        }
        return id
      }).pipe(Effect.provide(runtimeIn(directory)))
      yield* Effect.gen(function* () {
        yield* untilState(id, "idle.awake")
        const turns = yield* (yield* Sessions).turns(ours, id, { after: 0, limit: 10 })
        assert.deepStrictEqual(
          turns.map(({ finalText, turn }) => [turn.status, finalText]),
          [
            ["interrupted", "thinking"],
            ["completed", "you said: second"],
            ["completed", "you said: third"]
          ]
        )
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a turn that waits for a slot when Troupe stops is run by the next runtime", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const limits = { maxProcesses: 1 }
      const id = yield* Effect.gen(function* () {
        const holder = yield* submitted("hello")
        yield* untilState(holder, "idle.awake")
        const busy = yield* (yield* Sessions).submit(ours, holder, { prompt: "hang" })
        yield* untilRunning(holder)
        const id = yield* submitted("late")
        yield* untilBegun(id, "takeSlot")
        yield* Effect.forkChild((yield* Operator).drain(60_000), { startImmediately: true })
        // Longer than a turn waits for a slot.
        yield* TestClock.adjust("40 seconds")
        assert.strictEqual(yield* stateOf(id), "turning.queued")
        assert.strictEqual(busy.index, 2)
        return id
      }).pipe(Effect.provide(runtimeIn(directory, limits)))
      yield* Effect.gen(function* () {
        yield* untilState(id, "idle.awake")
        assert.strictEqual((yield* (yield* Sessions).turn(ours, id, 1)).finalText, "you said: late")
      }).pipe(Effect.provide(runtimeIn(directory, limits)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a drain does not wait for the end of an interrupted turn that no agent has", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const id = yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        const script = yield* AgentScript
        const sessions = yield* Sessions
        const supervisor = yield* Supervisor
        const holder = yield* submitted("hang")
        const id = yield* submitted("hang")
        yield* sessions.submit(ours, id, { prompt: "second", queue: true })
        for (const session of [holder, id]) yield* untilRunning(session)
        const draining = yield* Effect.forkChild((yield* Operator).drain(60_000), { startImmediately: true })
        yield* sessions.interrupt(ours, id)
        // A runtime that is about to stop hands no prompt over.
        const turn = Effect.map(ledger.snapshot(id), (snapshot) => (snapshot as SessionSnapshot).context.turn)
        yield* until(
          "the second turn",
          Effect.map(turn, (turn) => turn === 2)
        )
        // It is let go of at once, and an agent ends no turn that it does not have.
        yield* until(
          "the session's unloading",
          Effect.sync(() => supervisor.view(id) === null)
        )
        script.isUnresponsive = true
        yield* sessions.interrupt(ours, id)
        yield* untilState(id, "idle.asleep")
        script.isUnresponsive = false
        yield* sessions.interrupt(ours, holder)
        // No time passes up to here.
        yield* untilState(holder, "retiring.asking")
        yield* whileTimePasses(draining)
        return id
      }).pipe(Effect.provide(runtimeIn(directory)))
      yield* Effect.gen(function* () {
        yield* untilState(id, "idle.asleep")
        const turns = yield* (yield* Sessions).turns(ours, id, { after: 0, limit: 10 })
        assert.deepStrictEqual(
          turns.map(({ finalText, turn }) => [turn.status, finalText]),
          [
            ["interrupted", "thinking"],
            ["interrupted", ""]
          ]
        )
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a drain refuses new turns, waits for the running ones, and leaves every session asleep", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* Effect.gen(function* () {
        const sessions = yield* Sessions
        const runtime = yield* Operator
        const id = yield* submitted("hang")
        const idle = yield* submitted("hello")
        yield* untilState(idle, "idle.awake")
        yield* untilRunning(id)
        const draining = yield* Effect.forkChild(runtime.drain(30_000), { startImmediately: true })
        assert.isFalse((yield* runtime.ready).ready)
        const refusal = yield* Effect.flip(sessions.submit(ours, idle, { prompt: "no" }))
        assert.strictEqual(refusal._tag, "Draining")
        assert.strictEqual((yield* Effect.flip(sessions.create(app, {})))._tag, "Draining")
        yield* whileTimePasses(draining)
        assert.strictEqual((yield* sessions.turn(ours, id, 1)).turn.status, "interrupted")
        assert.deepStrictEqual([yield* stateOf(id), yield* stateOf(idle)], ["idle.asleep", "idle.asleep"])
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )
})
