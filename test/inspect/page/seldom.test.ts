/** A signal that changes seldom: it has the last value in the end, and few of those between. */
import { signal } from "@preact/signals"
import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import { seldom } from "../../../src/inspect/page/session/model/seldom.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it("follows at once, then once in a while, and ends with the last value", () => {
  const source = signal(0)
  const followed = seldom(source, 500, signal(0))
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

it("changes with the pulse, where that comes first", () => {
  const [source, pulse] = [signal(0), signal(0)]
  const followed = seldom(source, 1_500, pulse)
  const seen: Array<number> = []
  followed.subscribe((value) => seen.push(value))
  for (let n = 1; n <= 100; n++) {
    source.value = n
    if (n % 10 === 0) pulse.value = n
    vi.advanceTimersByTime(100)
  }
  assert.deepStrictEqual(seen, [0, 1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
})
