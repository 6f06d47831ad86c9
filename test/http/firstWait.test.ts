/** Waits that end with their fiber or after a time, which one fiber measures for all of them. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as FirstWait from "../../src/http/firstWait.ts"

it.effect("each ends with its own fiber, or when its own time is over, whichever others there are", () =>
  Effect.gen(function* () {
    const wait = yield* FirstWait.make(4000)
    const ends = yield* Deferred.make<string>()
    const seen: Array<string> = []
    const begin = (name: string, work: Effect.Effect<string>) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkScoped(work)
        const told = Effect.map(wait(fiber), (exit) =>
          seen.push(`${name}: ${exit === undefined ? "goes on" : Exit.isSuccess(exit) ? exit.value : "failed"}`)
        )
        return yield* Effect.forkScoped(told)
      })

    yield* begin("lasts", Effect.never)
    yield* begin("is there already", Effect.succeed("done"))
    const left = yield* begin("is left", Effect.never)
    yield* TestClock.adjust(1000)
    yield* begin("comes later", Effect.never)
    yield* begin("ends", Deferred.await(ends))
    yield* Fiber.interrupt(left)
    yield* TestClock.adjust(2999)
    assert.deepStrictEqual(seen, ["is there already: done"])
    yield* Deferred.succeed(ends, "done")
    yield* TestClock.adjust(1)
    assert.deepStrictEqual(seen.slice(1), ["ends: done", "lasts: goes on"])
    yield* TestClock.adjust(999)
    assert.lengthOf(seen, 3)
    yield* TestClock.adjust(1)
    assert.deepStrictEqual(seen.slice(3), ["comes later: goes on"])

    // Also after a time in which nobody waited.
    yield* TestClock.adjust(60_000)
    yield* begin("comes last", Effect.never)
    yield* TestClock.adjust(3999)
    assert.lengthOf(seen, 4)
    yield* TestClock.adjust(1)
    assert.deepStrictEqual(seen.slice(4), ["comes last: goes on"])
  }).pipe(Effect.scoped)
)
