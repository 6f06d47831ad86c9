/** A signal that changes seldom: it has the last value in the end, and few of those between. */
import { signal } from "@preact/signals"
import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import { seldom } from "../../../src/inspect/page/session/model/seldom.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it("follows at once, then once in a while, and ends with the last value", () => {
  const source = signal(0)
  const followed = seldom(source, 500)
  const seen: Array<number> = []
  followed.subscribe((value) => seen.push(value))
  for (let n = 1; n <= 100; n++) {
    source.value = n
    vi.advanceTimersByTime(20)
  }
  vi.advanceTimersByTime(500)
  assert.deepStrictEqual(seen.slice(0, 2), [0, 1])
  assert.strictEqual(seen.at(-1), 100)
  assert.isAtMost(seen.length, 7)
})
