/** The end of an interrupted turn: told once, and not before nothing of the turn is left. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Ending from "../../src/agent/acp/HeldEnd.ts"
import type { AgentFact } from "../../src/agent/Agent.ts"

const end = { _tag: "TurnEnded", turn: 1, stopReason: "cancelled", usage: null, failure: null } as const

const listening = () => {
  const told: Array<AgentFact> = []
  return { told, ending: Ending.make((fact) => Effect.sync(() => void told.push(fact))) }
}

it.effect("passes the end of a turn on at once where nobody interrupts", () =>
  Effect.gen(function* () {
    const { ending, told } = listening()
    yield* ending.tell(end)
    assert.deepStrictEqual(told, [end])
  })
)

it.effect("keeps it until the last of the interrupts is through, also one that is cut short", () =>
  Effect.gen(function* () {
    const { ending, told } = listening()
    const swept = yield* Deferred.make<void>()
    const first = yield* Effect.forkChild(ending.after(Deferred.await(swept)), { startImmediately: true })
    const second = yield* Effect.forkChild(ending.after(Effect.never), { startImmediately: true })
    yield* ending.tell(end)
    yield* Deferred.succeed(swept, undefined)
    yield* Fiber.join(first)
    assert.deepStrictEqual(told, [])
    yield* Fiber.interrupt(second)
    assert.deepStrictEqual(told, [end])
  })
)

it.effect("lets it go for a connection that is over, once", () =>
  Effect.gen(function* () {
    const { ending, told } = listening()
    yield* ending.after(
      Effect.gen(function* () {
        yield* ending.tell(end)
        yield* ending.release
        assert.deepStrictEqual(told, [end])
      })
    )
    assert.deepStrictEqual(told, [end])
  })
)
