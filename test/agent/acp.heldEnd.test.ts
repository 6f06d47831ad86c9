/** The end of an interrupted turn is emitted once, and not before nothing of the turn is left. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as HeldEnd from "../../src/agent/acp/HeldEnd.ts"
import type { AgentFact } from "../../src/agent/Agent.ts"

const end = { _tag: "TurnEnded", turn: 1, stopReason: "cancelled", usage: null, failure: null } as const

const recording = () => {
  const emitted: Array<AgentFact> = []
  return { emitted, heldEnd: HeldEnd.make((fact) => Effect.sync(() => void emitted.push(fact))) }
}

it.effect("a turn's end is emitted at once where nobody interrupts the turn", () =>
  Effect.gen(function* () {
    const { emitted, heldEnd } = recording()
    yield* heldEnd.emit(end)
    assert.deepStrictEqual(emitted, [end])
  })
)

it.effect("a turn's end is held until the last of its interrupts is over, also one that is cut short", () =>
  Effect.gen(function* () {
    const { emitted, heldEnd } = recording()
    const swept = yield* Deferred.make<void>()
    const first = yield* Effect.forkChild(heldEnd.holdDuring(Deferred.await(swept)), { startImmediately: true })
    const second = yield* Effect.forkChild(heldEnd.holdDuring(Effect.never), { startImmediately: true })
    yield* heldEnd.emit(end)
    yield* Deferred.succeed(swept, undefined)
    yield* Fiber.join(first)
    assert.deepStrictEqual(emitted, [])
    yield* Fiber.interrupt(second)
    assert.deepStrictEqual(emitted, [end])
  })
)

it.effect("a held end is released once when its connection is over", () =>
  Effect.gen(function* () {
    const { emitted, heldEnd } = recording()
    yield* heldEnd.holdDuring(
      Effect.gen(function* () {
        yield* heldEnd.emit(end)
        yield* heldEnd.release
        assert.deepStrictEqual(emitted, [end])
      })
    )
    assert.deepStrictEqual(emitted, [end])
  })
)
