/** The model of `troupe top`: the events it keeps, and how its cursor moves. */
import { assert, describe, it } from "@effect/vitest"
import { moved, withEvent } from "../../src/cli/top/Model.ts"
import { chunkEvent } from "./top.session.ts"

describe("the model", () => {
  it("keeps the last events, each once and in order", () => {
    const empty = { id: "ses_a", detail: null, events: [], problem: null }
    const full = Array.from({ length: 1_000 }, (_, n) => chunkEvent(n + 1, "x")).reduce(withEvent, empty)
    const { events } = withEvent(full, chunkEvent(1_000, "again"))
    assert.deepStrictEqual([events.length, events[0]?.seq, events.at(-1)?.seq], [400, 601, 1_000])
  })

  it("moves within a list, and into it", () => {
    const list = ["a", "b", "c"]
    assert.deepStrictEqual(
      [moved(list, "a", 1), moved(list, "c", 1), moved(list, null, 1), moved(list, "b", -9), moved([], null, 1)],
      ["b", "c", "a", "a", null]
    )
    assert.strictEqual(moved(list, "a", Number.POSITIVE_INFINITY), "c")
  })
})
