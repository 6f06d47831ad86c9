/** Processes and deaths of a session as they were at a moment. */
import { assert, describe, it } from "@effect/vitest"
import { olderDeaths, processesThen } from "../../../src/inspect/page/session/model/then.ts"
import type { ProcessSpan } from "../../../src/inspect/sessionContract.ts"

const span = (generation: number, started_at: number, ended_at: number | null, is_failure = true): ProcessSpan => ({
  generation,
  started_at,
  ended_at,
  exit: ended_at === null ? null : "it died",
  is_failure: ended_at !== null && is_failure,
  death: ended_at === null ? null : { code: 1, signal: null, stderr: "words" }
})
const spans = [span(1, 10, 20), span(2, 25, 30, false), span(3, 100, 200), span(4, 210, null)]
const budget = { intensity: 3, period_seconds: 60, deaths: [], left: 3, backoff: null, parked: null }

describe("a session at a moment", () => {
  it("has the processes that had been started, and knows nothing of their later ends", () => {
    assert.deepStrictEqual(processesThen(spans, 27), [span(1, 10, 20), span(2, 25, null)])
    assert.deepStrictEqual(processesThen(spans, 5), [])
    assert.deepStrictEqual(processesThen(spans, 1_000), spans)
  })

  it("has deaths that no longer count, and retirements are none", () => {
    assert.deepStrictEqual(olderDeaths(processesThen(spans, 250), budget, 250), [20])
    assert.deepStrictEqual(olderDeaths(processesThen(spans, 300), budget, 300), [20, 200])
    assert.deepStrictEqual(olderDeaths(processesThen(spans, 79), budget, 79), [])
  })
})
