/** What was refused is remembered, and never more than so much of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Refusals from "../../src/runtime/RefusedEvents.ts"
import { SessionId } from "../../src/domain/Ids.ts"

const refusal = (at: number) => ({ event: "unpark.requested", state: "idle.awake", at })
const id = (nth: number) => SessionId.make(`ses_${nth}`)

describe("refusals", () => {
  it("are kept by session, oldest first, the last 32 of each", () => {
    const refusals = Refusals.make()
    for (let at = 0; at < 40; at++) refusals.note(id(1), refusal(at))
    refusals.note(id(2), refusal(99))
    assert.deepStrictEqual(
      refusals.of(id(1)).map(({ at }) => at),
      Array.from({ length: 32 }, (_, nth) => nth + 8)
    )
    assert.deepStrictEqual(refusals.of(id(2)), [refusal(99)])
    assert.deepStrictEqual(refusals.of(id(3)), [])
  })

  it("are forgotten of the session that was refused nothing for longest, past 1,024 of them", () => {
    const refusals = Refusals.make()
    for (let nth = 0; nth < 1_024; nth++) refusals.note(id(nth), refusal(nth))
    refusals.note(id(0), refusal(5_000))
    refusals.note(id(1_024), refusal(5_001))
    assert.deepStrictEqual(refusals.of(id(1)), [])
    assert.strictEqual(refusals.of(id(0)).length, 2)
    assert.strictEqual(refusals.of(id(1_024)).length, 1)
  })
})
