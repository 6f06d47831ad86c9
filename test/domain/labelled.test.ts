/** Metrics with labels: one for each combination of values. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { labelled } from "../../src/domain/labelled.ts"

describe("labelled metrics", () => {
  it("are made once for each combination of their values", () => {
    const made: Array<string> = []
    const metric = labelled(({ agent, kind }: { readonly agent: string; readonly kind: string }) => {
      made.push(`${agent} ${kind}`)
      return {}
    })
    assert.strictEqual(metric({ agent: "codex", kind: "a" }), metric({ agent: "codex", kind: "a" }))
    assert.notStrictEqual(metric({ agent: "codex", kind: "a" }), metric({ agent: "codex", kind: "b" }))
    assert.notStrictEqual(metric({ agent: "claude", kind: "b" }), metric({ agent: "codex", kind: "b" }))
    assert.deepStrictEqual(made, ["codex a", "codex b", "claude b"])
  })

  it.effect("are the same series as those that Effect labels at each update", () =>
    Effect.gen(function* () {
      const id = "test_labelled_total"
      const once = labelled((attributes: { readonly agent: string }) =>
        Metric.counter(id, { incremental: true, attributes })
      )
      once({ agent: "codex" }).updateUnsafe(2, yield* Effect.context<never>())
      const each = Metric.withAttributes(Metric.counter(id, { incremental: true }), { agent: "codex" })
      yield* Metric.update(each, 3)
      assert.strictEqual((yield* Metric.value(each)).count, 5)
    })
  )
})
