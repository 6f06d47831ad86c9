/** How the starts of an agent went. */
import { assert, describe, it } from "@effect/vitest"
import { StartsByAgent } from "../../src/supervision/StartsByAgent.ts"

describe("the starts of an agent", () => {
  it("are counted, with how long the last good ones took and why the last one failed", () => {
    const starts = new StartsByAgent()
    for (let n = 1; n <= 1_000; n++) starts.succeeded("codex", n)
    starts.failed("codex", { class: "crash", message: "it died" }, 5)
    // The last 200: 801 to 1,000.
    assert.deepStrictEqual(starts.of("codex"), {
      succeeded: 1_000,
      failed: 1,
      p50Millis: 900,
      p95Millis: 990,
      lastFailure: { at: 5, class: "crash", message: "it died" }
    })
    assert.deepStrictEqual(starts.of("claude"), {
      succeeded: 0,
      failed: 0,
      p50Millis: null,
      p95Millis: null,
      lastFailure: null
    })
    assert.deepStrictEqual(starts.agents(), ["codex"])
  })
})
