/** Which spares are wanted, and when. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { SpareSpec } from "../../src/agent/Agent.ts"
import * as SpareWants from "../../src/supervision/spareWants.ts"

const specOf = (key: string, directory: string | null = null): SpareSpec => ({
  key,
  directory,
  files: [],
  start: () => Effect.die("nothing is started here"),
  serves: () => Effect.succeed(true)
})
const minute = 60_000
const [one, other] = [specOf("one"), specOf("other")]

it("a spare is wanted for ten minutes after an agent was started in its way, the last one first", () => {
  const wants = SpareWants.make(1)
  const due = (now: number) => wants.due(now).map(({ spec }) => spec.key)
  wants.used("agent", one, 0)
  wants.used("agent", other, minute)
  assert.deepStrictEqual(due(minute), ["other", "one"])
  wants.used("agent", one, 2 * minute)
  assert.deepStrictEqual(due(2 * minute), ["one", "other"])
  assert.deepStrictEqual(due(11 * minute), ["one"])
  assert.deepStrictEqual([wants.has(one, 11 * minute), wants.has(other, 11 * minute)], [true, false])
  assert.deepStrictEqual(due(12 * minute), [])
})

it("one of a single directory is wanted after the second start in it", () => {
  const wants = SpareWants.make(1)
  const here = specOf("here", "/srv/here")
  wants.used("agent", here, 0)
  assert.deepStrictEqual(wants.due(0), [])
  wants.used("agent", here, minute)
  assert.strictEqual(wants.due(minute).length, 1)
})

it("one that fails is tried again after pauses that double; one that is taken ends them", () => {
  const wants = SpareWants.make(1)
  const pauses: Array<number> = []
  for (let now = 0, failures = 1; failures <= 7; failures++) {
    wants.used("agent", one, now)
    assert.strictEqual(wants.failed(one, now), failures)
    const pause = [5, 10, 20, 40, 80, 160, 320].find((seconds) => wants.due(now + seconds * 1_000).length === 1)
    pauses.push(pause ?? 0)
    now += 1_000
  }
  assert.deepStrictEqual(pauses, [5, 10, 20, 40, 80, 160, 320])
  wants.taken(one)
  assert.strictEqual(wants.due(9_000).length, 1)
})

it("one that dies soon has failed, and one that lived has not", () => {
  const wants = SpareWants.make(1)
  wants.used("agent", one, 0)
  wants.died(one, 2 * minute, 3 * minute)
  assert.strictEqual(wants.due(3 * minute).length, 1)
  wants.died(one, 1_000, 3 * minute)
  assert.deepStrictEqual(wants.due(3 * minute), [])
})

it("none is wanted where there are to be none", () => {
  const wants = SpareWants.make(0)
  wants.used("agent", one, 0)
  assert.deepStrictEqual(wants.due(0), [])
})
