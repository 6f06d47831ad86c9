/** Times are written as the language's own methods write them, in the zone of who reads. */
import { assert, it } from "@effect/vitest"
import { clockTime, fullTime } from "../../../src/inspect/client/format.ts"

it("a time is that of the day, with the date where that is another", () => {
  const at = new Date(2026, 10, 30, 7, 5, 9, 42)
  const seconds = at.getTime() / 1_000
  assert.strictEqual(clockTime(seconds, seconds), "07:05:09")
  assert.strictEqual(clockTime(seconds, seconds, true), "07:05:09.042")
  assert.strictEqual(clockTime(seconds, seconds + 86_400), "30 Nov 07:05:09")
  assert.strictEqual(fullTime(seconds), at.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" }))
  // What an old ledger or another program may have.
  assert.include(clockTime(Number.NaN, seconds), "Invalid Date")
  assert.strictEqual(fullTime(Infinity), "Invalid Date")
})
