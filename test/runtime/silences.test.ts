/** How long an agent is usually silent. */
import { assert, describe, it } from "@effect/vitest"
import { Silences } from "../../src/runtime/Silences.ts"

describe("the usual silence of an agent", () => {
  it("is the longest of 99 in 100, within a quarter, of that agent alone", () => {
    const silences = new Silences()
    for (let n = 0; n < 990; n++) silences.ended("codex", 4_000)
    for (let n = 0; n < 9; n++) silences.ended("codex", 600_000)
    const usual = silences.usual("codex") ?? 0
    assert.isAtLeast(usual, 4_000)
    assert.isAtMost(usual, 5_000)
    assert.isNull(silences.usual("claude"))
    for (let n = 0; n < 9; n++) silences.ended("codex", 600_000)
    assert.isAtLeast(silences.usual("codex") ?? 0, 600_000)
  })

  it("is not known of few, and pauses under a second are none", () => {
    const silences = new Silences()
    for (let n = 0; n < 100; n++) silences.ended("codex", 900)
    for (let n = 0; n < 19; n++) silences.ended("codex", 2_000)
    assert.isNull(silences.usual("codex"))
    silences.ended("codex", 2_000)
    assert.isNotNull(silences.usual("codex"))
  })
})
