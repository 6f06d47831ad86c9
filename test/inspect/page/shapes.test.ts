/** Lanes in pixels, the strip of deaths, and processes as a tree. */
import { assert, describe, it } from "@effect/vitest"
import { deathsOn, leftOfWait } from "../../../src/inspect/page/session/model/strip.ts"
import { treeOf } from "../../../src/inspect/page/session/model/tree.ts"
import type { Lane } from "../../../src/inspect/page/session/time/lanes.ts"
import { nearest, shapesOf } from "../../../src/inspect/page/session/time/shapes.ts"

const xOf = (at: number) => at * 10
const lane: Lane = {
  name: "lane",
  bars: [
    { from: -50, to: -20, label: "before", tone: "idle" },
    { from: 1, to: 2, label: "short", tone: "idle" },
    { from: 3, to: null, label: "open", tone: "turning" },
    { from: 400, to: 500, label: "after", tone: "idle" }
  ],
  marks: Array.from({ length: 10_000 }, (_, n) => ({ at: n / 1_000, label: `mark ${n}`, tone: "idle" as const }))
}

describe("a lane in pixels", () => {
  const shapes = shapesOf(lane, xOf, 200, 12)

  it("has the visible bars, and extends to now where one is open", () => {
    assert.deepStrictEqual(
      shapes.bars.map(({ label, open, width, x }) => [label, x, width, open]),
      [
        ["short", 10, 10, false],
        ["open", 30, 90, true]
      ]
    )
  })

  it("has no more marks than can be told apart", () => {
    assert.isAtMost(shapes.marks.length, 101)
    assert.isAtLeast(shapes.marks.length, 40)
  })

  it("joins bars that are thinner than a line", () => {
    const bars = Array.from({ length: 5_000 }, (_, n) => ({
      from: n / 1_000,
      to: (n + 1) / 1_000,
      label: "",
      tone: "idle" as const
    }))
    assert.isAtMost(shapesOf({ name: "", bars, marks: [] }, xOf, 200, 12).bars.length, 51)
  })

  it("finds what is under the pointer: a mark close by, else the bar", () => {
    assert.strictEqual(nearest({ ...shapes, marks: [] }, 15)?.label, "short")
    assert.strictEqual(nearest({ ...shapes, marks: [{ x: 17, label: "mark", tone: "idle" }] }, 15)?.label, "mark")
    assert.isUndefined(nearest({ ...shapes, marks: [] }, 190))
  })
})

describe("the strip of deaths", () => {
  const budget = { intensity: 3, period_seconds: 60, deaths: [30, 70, 100], left: 1, backoff: null, parked: null }

  it("shows each death at its time within the period, and which no longer count", () => {
    const deaths = deathsOn(budget, [-500], 100)
    assert.deepStrictEqual(
      deaths.map(({ counts, x }) => [x, counts]),
      [
        [0, false],
        [1 - 70 / 120, false],
        [0.75, true],
        [1, true]
      ]
    )
  })

  it("shows a pause as a part that shrinks from whole to none", () => {
    assert.deepStrictEqual(
      [0, 5, 10, 20].map((now) => leftOfWait(10, 10, now)),
      [1, 0.5, 0, 0]
    )
    assert.strictEqual(leftOfWait(0, 10, 0), 0)
  })
})

describe("processes as a tree", () => {
  const process = (pid: number, ppid: number) => ({
    pid,
    ppid,
    command: `${pid}`,
    rss_bytes: 0,
    started_at: null,
    state: null,
    cpu_seconds: null
  })

  it("are each under their parent, with those that left the tree beside it", () => {
    assert.deepStrictEqual(
      treeOf([process(10, 1), process(11, 10), process(12, 10), process(13, 11), process(99, 1)]).map(
        ({ branch, process }) => branch + process.command
      ),
      ["10", "├─ 11", "│  └─ 13", "└─ 12", "99"]
    )
  })

  it("are all listed once, also where two reads make a cycle", () => {
    assert.deepStrictEqual(
      treeOf([process(1, 2), process(2, 1), process(3, 3)])
        .map(({ process }) => process.pid)
        .toSorted(),
      [1, 2, 3]
    )
  })
})
