/** Process slots, seen by the sessions that compete for them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import {
  app,
  other,
  ours,
  retire,
  stateOf,
  theirs,
  untilBegun,
  untilRunning,
  untilState,
  withRuntime
} from "../services/harness.ts"

describe("process slots", () => {
  it.effect("the session that has been idle longest hibernates when another needs its slot", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const [a, b, c] = yield* Effect.forEach([1, 2, 3], () => sessions.create(app, {}))
      for (const { id } of [a!, b!]) {
        yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
        yield* TestClock.adjust("1 second")
      }
      const third = yield* sessions.submit(ours, c!.id, { prompt: "hello" })
      yield* untilState(a!.id, "retiring.asking")
      assert.strictEqual(yield* stateOf(b!.id), "idle.awake")
      yield* TestClock.adjust("8 seconds")
      yield* untilState(a!.id, "idle.asleep")
      assert.strictEqual((yield* third.result).turn.status, "completed")
    }).pipe(withRuntime({ maxProcesses: 2 }))
  )

  it.effect("a turn that waits for a slot fails after the longest wait", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const runtime = yield* Operator
      const busy = yield* sessions.create(app, {})
      const late = yield* sessions.create(app, {})
      yield* sessions.submit(ours, busy.id, { prompt: "hang" })
      yield* untilRunning(busy.id)
      const turning = yield* sessions.submit(ours, late.id, { prompt: "hello" })
      yield* untilBegun(late.id, "takeSlot")
      const { processes, waiting } = yield* runtime.counts
      assert.deepStrictEqual([processes, waiting], [1, 1])
      yield* TestClock.adjust("30 seconds")
      const { turn } = yield* turning.result
      assert.deepStrictEqual([turn.status, turn.failure?.class], ["failed", "pool_full"])
      assert.strictEqual((yield* runtime.counts).waiting, 0)
    }).pipe(withRuntime({ maxProcesses: 1 }))
  )

  it.effect("a free slot goes to the app that holds fewest, before the one that asked first", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const open = (who: typeof app, caller: typeof ours | typeof theirs) =>
        Effect.gen(function* () {
          const { id } = yield* sessions.create(who, {})
          yield* sessions.submit(caller, id, { prompt: "hang" })
          return id
        })
      const first = yield* open(app, ours)
      const second = yield* open(app, ours)
      yield* untilRunning(second)
      const greedy = yield* open(app, ours)
      yield* untilBegun(greedy, "takeSlot")
      const modest = yield* open(other, theirs)
      yield* untilBegun(modest, "takeSlot")
      yield* sessions.interrupt(ours, first)
      yield* sessions.close(ours, first).pipe(Effect.forkChild)
      yield* retire(first, "closed")
      yield* untilRunning(modest)
      assert.strictEqual(yield* stateOf(greedy), "turning.queued")
    }).pipe(withRuntime({ maxProcesses: 2 }))
  )

  it.effect("the restart of a dead process takes no slot from another session's turn", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      yield* (yield* sessions.submit(ours, id, { prompt: "die" })).result
      yield* untilState(id, "idle.backingOff")
      const busy = yield* sessions.create(app, {})
      yield* sessions.submit(ours, busy.id, { prompt: "hang" })
      yield* untilRunning(busy.id)
      yield* TestClock.adjust("1 second")
      yield* untilState(id, "idle.asleep")
    }).pipe(withRuntime({ maxProcesses: 1 }))
  )

  it.effect("the death of an agent in a turn leaves no mark: a later request has an idle session hibernate", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const slots = yield* ProcessSlots
      const said = (id: SessionId, prompt: string) =>
        Effect.flatMap(sessions.submit(ours, id, { prompt }), ({ result }) => result)
      const [a, b, c] = yield* Effect.forEach([1, 2, 3], () => sessions.create(app, {}))
      for (const { id } of [a!, b!, c!]) yield* said(id, "hello")
      yield* said(b!.id, "die")
      yield* untilState(b!.id, "idle.backingOff")
      yield* TestClock.adjust("1 second")
      yield* untilState(b!.id, "idle.awake")
      assert.strictEqual((yield* said(b!.id, "hello")).turn.status, "completed")
      assert.deepStrictEqual(slots.state(), { busy: [], idle: [a!.id, c!.id, b!.id], leaving: [], waiting: [] })

      const late = yield* sessions.create(app, {})
      const turning = yield* sessions.submit(ours, late.id, { prompt: "hello" })
      yield* untilState(a!.id, "retiring.asking")
      assert.deepStrictEqual(slots.state(), { busy: [], idle: [c!.id, b!.id], leaving: [a!.id], waiting: [late.id] })
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* turning.result).turn.status, "completed")
      assert.deepStrictEqual(slots.state(), { busy: [], idle: [c!.id, b!.id, late.id], leaving: [], waiting: [] })
    }).pipe(withRuntime({ maxProcesses: 3 }))
  )
})

describe("the state of the slots", () => {
  const [one, two, three] = ["ses_1", "ses_2", "ses_3"].map((id) => SessionId.make(id)) as [
    SessionId,
    SessionId,
    SessionId
  ]
  const take = (slots: ProcessSlots["Service"], session: SessionId) =>
    slots.take({ app, session, urgent: true, notBefore: 0 })
  const withSlots = <A, E>(size: number, test: (slots: ProcessSlots["Service"]) => Effect.Effect<A, E>) =>
    Effect.flatMap(ProcessSlots, test).pipe(
      Effect.provide(ProcessSlots.layer),
      Effect.provideService(RuntimeSettings, {
        dataDir: "",
        limits: { ...defaultLimits, maxProcesses: size },
        agents: {},
        defaultAgent: null,
        run: {}
      })
    )

  it.effect("a step that comes after the slot was given back marks nobody", () =>
    withSlots(2, (slots) =>
      Effect.gen(function* () {
        yield* take(slots, one)
        yield* take(slots, two)
        slots.release(one)
        slots.retiring(one)
        slots.idle(one, () => assert.fail("it has no slot to give back"))
        slots.busy(one)
        yield* take(slots, one)
        let asked = 0
        slots.idle(two, () => void asked++)
        yield* Effect.forkChild(take(slots, three), { startImmediately: true })
        assert.strictEqual(asked, 1)
        assert.deepStrictEqual(slots.state(), { busy: [one], idle: [], leaving: [two], waiting: [three] })
      })
    )
  )

  it.effect("a second request of a session refuses the first, and outlives the end of its caller", () =>
    withSlots(1, (slots) =>
      Effect.gen(function* () {
        yield* take(slots, one)
        const first = yield* Effect.forkChild(take(slots, two), { startImmediately: true })
        const second = yield* Effect.forkChild(take(slots, two), { startImmediately: true })
        assert.strictEqual(yield* Fiber.join(first), "refused")
        const third = yield* Effect.forkChild(take(slots, three), { startImmediately: true })
        yield* Fiber.interrupt(third)
        assert.deepStrictEqual(slots.state().waiting, [two])
        slots.release(one)
        assert.strictEqual(yield* Fiber.join(second), "granted")
        assert.deepStrictEqual(slots.state(), { busy: [two], idle: [], leaving: [], waiting: [] })
      })
    )
  )

  it.effect("whoever waits is served, or an idle session is asked to leave, after any sequence of steps", () =>
    withSlots(3, (slots) =>
      Effect.gen(function* () {
        const random = yield* Random.Random
        const ids = Array.from({ length: 8 }, (_, n) => SessionId.make(`ses_${n}`))
        const fibers = new Map<SessionId, Fiber.Fiber<unknown>>()
        for (let step = 0; step < 3_000; step++) {
          const id = ids[random.nextIntUnsafe() & 7]!
          switch ((random.nextIntUnsafe() >>> 3) % 6) {
            case 0:
              fibers.set(id, yield* Effect.forkChild(take(slots, id), { startImmediately: true }))
              break
            case 1:
              slots.release(id)
              break
            case 2:
              slots.idle(id, () => {})
              break
            case 3:
              slots.busy(id)
              break
            case 4:
              slots.retiring(id)
              break
            case 5:
              yield* Fiber.interrupt(fibers.get(id) ?? Fiber.getCurrent()!).pipe(
                Effect.when(Effect.sync(() => fibers.has(id)))
              )
          }
          const { busy, idle, leaving, waiting } = slots.state()
          assert.isAtMost(busy.length + idle.length + leaving.length, 3)
          assert.strictEqual(new Set(waiting).size, waiting.length)
          assert.isTrue(idle.length === 0 || leaving.length >= waiting.length, JSON.stringify(slots.state()))
          assert.isTrue(waiting.length === 0 || busy.length + idle.length + leaving.length === 3)
        }
      })
    )
  )
})
