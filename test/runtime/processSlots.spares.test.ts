/** Spares beside the slots of sessions: they are where no session is, and cost none its place. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { app } from "../services/harness.ts"

const settings = { dataDir: ":memory:", agents: {}, defaultAgent: null, run: {} }
const withSlots = (maxProcesses: number) =>
  Effect.provide(
    ProcessSlots.layer.pipe(
      Layer.provide(Layer.succeed(RuntimeSettings, { ...settings, limits: { ...defaultLimits, maxProcesses } }))
    )
  )

const take = (slots: ProcessSlots["Service"], name: string, takesSpare: boolean) =>
  slots.take({ app, session: SessionId.make(name), urgent: true, notBefore: 0, takesSpare })

it.effect("a spare has a place that no session has, and none where there is none", () =>
  Effect.gen(function* () {
    const slots = yield* ProcessSlots
    const [first, second] = [{ giveUp: () => {} }, { giveUp: () => {} }]
    yield* take(slots, "a", false)
    assert.deepStrictEqual([slots.addSpare(first), slots.addSpare(second)], [true, false])
    assert.deepStrictEqual(slots.counts(), { held: 1, size: 2, waiting: 0 })
    slots.removeSpare(first)
    slots.removeSpare(first)
    assert.strictEqual(slots.spares(), 0)
    slots.drain()
    assert.isFalse(slots.addSpare(first))
  }).pipe(withSlots(2))
)

it.effect("the oldest spare goes in the moment in which its place is granted", () =>
  Effect.gen(function* () {
    const slots = yield* ProcessSlots
    const gone: Array<string> = []
    for (const name of ["old", "new"]) assert.isTrue(slots.addSpare({ giveUp: () => gone.push(name) }))
    assert.strictEqual(yield* take(slots, "run", false), "granted")
    assert.deepStrictEqual([gone, slots.spares()], [["old"], 1])
  }).pipe(withSlots(2))
)

it.effect("no spare goes for a session that may take one, before it has chosen", () =>
  Effect.gen(function* () {
    const slots = yield* ProcessSlots
    const gone: Array<string> = []
    const spare = { giveUp: () => void gone.push("it") }
    assert.isTrue(slots.addSpare(spare))
    const session = SessionId.make("a")
    assert.strictEqual(yield* take(slots, "a", true), "granted")
    assert.deepStrictEqual([gone, slots.unsettled()], [[], 1])
    // It takes the spare.
    slots.removeSpare(spare)
    slots.settled(session)
    assert.deepStrictEqual([gone, slots.spares(), slots.counts().held], [[], 0, 1])
    // The next one does not, and neither does one that lets go of its slot without a word.
    slots.release(session)
    for (const settles of [() => slots.settled(session), () => slots.release(session)]) {
      assert.isTrue(slots.addSpare(spare))
      yield* take(slots, "a", true)
      settles()
      assert.strictEqual(slots.unsettled(), 0)
      slots.removeSpare(spare)
      slots.release(session)
    }
    assert.deepStrictEqual(gone, ["it"])
  }).pipe(withSlots(1))
)
