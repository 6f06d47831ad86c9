/** The last times that a session went along an arrow. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { mostPassages, recentPassages } from "../../../src/inspect/page/session/model/recent.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import { eventful, stored } from "./harness.ts"

const { steps } = (() => {
  const replay = new Replay(sessionMachine)
  replay.append(stored(eventful).steps)
  return replay
})()
const taken = steps.flatMap(({ step, taken }) =>
  taken.some(({ from, to }) => from === "turning.running" && to === "idle.awake") ? [step.seq] : []
)

describe("the last times that an arrow was taken", () => {
  it("are those before the moment, the latest first, and lead to their steps", () => {
    const all = recentPassages(steps, steps.length, "turning.running", "idle.awake")
    assert.isAbove(all.length, 1)
    assert.deepStrictEqual(
      all.map(({ seq }) => seq),
      taken.toReversed().slice(0, mostPassages)
    )
    for (const { count, seq } of all) assert.strictEqual(steps[count - 1]?.step.seq, seq)
    const [latest] = all
    const before = recentPassages(steps, (latest?.count ?? 0) - 1, "turning.running", "idle.awake")
    assert.deepStrictEqual(before, all.slice(1))
  })

  it("are none of an arrow that was never taken, and five at most", () => {
    assert.deepStrictEqual(recentPassages(steps, steps.length, "idle.parked", "closed"), [])
    const many = Array.from({ length: 4 }, () => steps).flat()
    assert.strictEqual(recentPassages(many, many.length, "turning.running", "idle.awake").length, mostPassages)
  })
})
