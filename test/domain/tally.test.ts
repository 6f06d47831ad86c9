/** Tallies add up, and their quantiles are right to within a fifth. */
import { assert, describe, it } from "@effect/vitest"
import { added, emptyTally, one, quantile } from "../../src/domain/Tally.ts"
import type { Tally } from "../../src/domain/Tally.ts"

describe("a tally", () => {
  it("is the sum of what was counted, in whichever order", () => {
    const parts = [
      { outcomes: { completed: 1 }, duration: one(100), tokens: 5 },
      { outcomes: { failed: 1 }, failures: { model: 1 }, duration: one(100) },
      { outcomes: { completed: 1 }, duration: one(9_000), restarts: 1, deaths: { crash: 1 } }
    ]
    const forth = parts.reduce((sum, part) => added(sum, part), emptyTally)
    const back = parts.toReversed().reduce((sum, part) => added(sum, part), emptyTally)
    assert.deepStrictEqual(forth, back)
    assert.deepInclude(forth, { outcomes: { completed: 2, failed: 1 }, failures: { model: 1 }, tokens: 5, restarts: 1 })
    assert.deepStrictEqual(added(forth, emptyTally), forth)
  })

  it("has quantiles to within a fifth, of a millisecond and of a day", () => {
    for (const millis of [11, 250, 3_000, 60_000, 86_400_000]) {
      const found = quantile(one(millis), 0.95) ?? 0
      assert.isAtLeast(found, millis * 0.999)
      assert.isAtMost(found, millis * 1.2)
    }
    const many = Array.from({ length: 100 }, (_, nth) => ({ duration: one((nth + 1) * 1_000) })).reduce<Tally>(
      (sum, part) => added(sum, part),
      emptyTally
    )
    const [half, most] = [quantile(many.duration, 0.5) ?? 0, quantile(many.duration, 0.95) ?? 0]
    assert.isTrue(half >= 50_000 && half <= 60_000, String(half))
    assert.isTrue(most >= 95_000 && most <= 114_000, String(most))
    assert.isNull(quantile({}, 0.5))
  })
})
