/** What a browser has kept of the panes of a session, whatever that is. */
import { assert, describe, it } from "@effect/vitest"
import { readPanes, usualPanes } from "../../../src/inspect/page/session/panes.ts"

describe("the panes that a browser has kept", () => {
  it("are as they were left", () => {
    const kept = { chart: 0.3, time: 0.5, folded: ["time"] }
    assert.deepStrictEqual(readPanes(JSON.stringify(kept)), { chart: 0.3, time: 0.5, folded: ["time"] })
  })

  it("are as usual where nothing was kept, or nothing that makes sense", () => {
    for (const text of [null, "", "{", "null", "7", "{}", '{"chart":"wide","time":null,"folded":"all"}'])
      assert.deepStrictEqual(readPanes(text), usualPanes, `${text}`)
  })

  it("are never so small or large that nothing is left of another", () => {
    const { chart, folded, time } = readPanes('{"chart":0,"time":9,"folded":["chart","lights","chart"]}')
    assert.deepStrictEqual([chart, time, folded], [0.2, 0.7, ["chart"]])
  })
})
