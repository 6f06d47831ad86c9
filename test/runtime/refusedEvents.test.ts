/** The memory of refused events, and its limits. */
import { assert, describe, it } from "@effect/vitest"
import * as RefusedEvents from "../../src/runtime/RefusedEvents.ts"
import { SessionId } from "../../src/domain/Ids.ts"

const refusal = (at: number) => ({ event: "unpark.requested", state: "idle.awake", at })
const id = (nth: number) => SessionId.make(`ses_${nth}`)

describe("refused events", () => {
  it("the last 32 refused events of each session are kept, oldest first", () => {
    const refused = RefusedEvents.make()
    for (let at = 0; at < 40; at++) refused.note(id(1), refusal(at))
    refused.note(id(2), refusal(99))
    assert.deepStrictEqual(
      refused.of(id(1)).map(({ at }) => at),
      Array.from({ length: 32 }, (_, nth) => nth + 8)
    )
    assert.deepStrictEqual(refused.of(id(2)), [refusal(99)])
    assert.deepStrictEqual(refused.of(id(3)), [])
  })

  it("past 1,024 sessions, the one whose last refusal is oldest is forgotten", () => {
    const refused = RefusedEvents.make()
    for (let nth = 0; nth < 1_024; nth++) refused.note(id(nth), refusal(nth))
    refused.note(id(0), refusal(5_000))
    refused.note(id(1_024), refusal(5_001))
    assert.deepStrictEqual(refused.of(id(1)), [])
    assert.strictEqual(refused.of(id(0)).length, 2)
    assert.strictEqual(refused.of(id(1_024)).length, 1)
  })
})
