/** The time axis: ordered, reversible, and short where nothing happened. */
import { assert, describe, it } from "@effect/vitest"
import {
  axisOf,
  inOrder,
  lastAtOrBefore,
  moved,
  ticksOf,
  whole,
  zoomed
} from "../../../src/inspect/page/session/time/axis.ts"

const night = 8 * 3_600
const axis = axisOf([100, 100.5, 101, 102, 102 + night, 103 + night])

describe("a time axis", () => {
  it("keeps distances where things happen, and shortens a night to a few seconds", () => {
    assert.closeTo(axis.placeOf(100.5) - axis.placeOf(100), 0.5, 1e-9)
    assert.closeTo(axis.placeOf(100.25) - axis.placeOf(100), 0.25, 1e-9)
    assert.isBelow(axis.length, 10)
    assert.deepStrictEqual(axis.gaps, [{ from: 102, to: 102 + night }])
  })

  it("converts times and positions both ways, also beyond its ends", () => {
    for (const at of [90, 100, 100.7, 102, 5_000, 102 + night, 103 + night, 200 + night])
      assert.closeTo(axis.timeAt(axis.placeOf(at)), at, 1e-6)
  })

  it("grows with time everywhere", () => {
    const places = Array.from({ length: 500 }, (_, n) => axis.placeOf(99 + n * (night / 400)))
    assert.deepStrictEqual(
      places,
      places.toSorted((a, b) => a - b)
    )
  })

  it("is a point for one moment, and empty for none", () => {
    assert.strictEqual(axisOf(inOrder([5, 5])).placeOf(5), 0)
    assert.strictEqual(axisOf([]).length, 0)
    assert.strictEqual(axisOf([]).gaps.length, 0)
  })

  it("zooms around a position, and out no further than the whole", () => {
    const all = whole(axis)
    const closer = zoomed(axis, all, 0.5, 0.25)
    assert.closeTo(closer.to - closer.from, (all.to - all.from) / 2, 1e-9)
    const pointed = all.from + 0.25 * (all.to - all.from)
    assert.closeTo(closer.from + 0.25 * (closer.to - closer.from), pointed, 1e-9)
    assert.deepStrictEqual(zoomed(axis, closer, 100, 0.9), all)
    assert.closeTo(moved(axis, closer, -10).from, all.from, 1e-9)
    assert.closeTo(moved(axis, closer, 10).to, all.to, 1e-9)
  })

  it("has ticks in order, evenly over the width", () => {
    const ticks = ticksOf(axis, whole(axis), 4)
    assert.deepStrictEqual(
      ticks.map(({ x }) => x),
      [0.125, 0.375, 0.625, 0.875]
    )
    assert.isTrue(ticks.every(({ at }, n) => n === 0 || at > (ticks[n - 1]?.at ?? 0)))
  })

  it("finds the last moment that is not after another", () => {
    assert.deepStrictEqual(
      [0, 1, 1.5, 3, 9].map((x) => lastAtOrBefore([1, 2, 3], x)),
      [-1, 0, 0, 2, 2]
    )
  })
})
