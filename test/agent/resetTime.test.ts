/** The time at which a used-up account can be used again, read from the words of agents. */
import { assert, describe, it } from "@effect/vitest"
import { resetIn } from "../../src/agent/resetTime.ts"

const noon = new Date(2026, 10, 21, 12, 0, 30).getTime()

describe("the time of a reset", () => {
  it.each<readonly [string, number | null, Date | null]>([
    ["You’ve hit your usage limit. Upgrade to Pro or try again at 5:46 PM.", noon, new Date(2026, 10, 21, 17, 47)],
    ["You’ve hit your usage limit. Try again at 12:05 AM.", noon, new Date(2026, 10, 21, 0, 6)],
    ["or try again at Mar 17th, 2030 5:46 PM.", noon, new Date(2030, 2, 17, 17, 47)],
    ["or try again at Dec 1st, 2026 12:00 PM.", null, new Date(2026, 11, 1, 12, 1)],
    ["Claude AI usage limit reached|1900000000", null, new Date(1_900_000_000_000)],
    // A time of day without a day gives no time.
    ["try again at 5:46 PM.", null, null],
    ["You’ve hit your usage limit. Try again later.", noon, null],
    ["API Error: Request rejected (429)", noon, null],
    ["try again at Foo 17th, 2030 5:46 PM.", noon, null]
  ])("%s", (words, writtenAt, expected) => {
    assert.deepStrictEqual(resetIn(words, writtenAt), expected === null ? {} : { retryAt: expected.getTime() })
  })
})
