/** Spans of what every turn calls: only where there is a tracer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Tracer } from "effect"
import { spanned } from "../../src/runtime/spanned.ts"

const currentSpan = Effect.option(Effect.currentSpan)

describe("a span of a call", () => {
  it.effect("is not made where nobody would see it", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* spanned("call")(currentSpan)))
    })
  )

  it.effect("is made where there is a tracer, and is around the call", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      const span = yield* Effect.withTracer(spanned("call")(currentSpan), tracer)
      assert.deepStrictEqual(names, ["call"])
      assert.strictEqual(Option.getOrThrow(span).name, "call")
    })
  )
})
