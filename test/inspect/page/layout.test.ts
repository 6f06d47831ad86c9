/** The layout of the session machine's chart: everything has a position, and nothing is left out. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { reckoned } from "../../../scripts/chartLayout.ts"
import { readChart } from "../../../src/inspect/chart/read.ts"
import { fitted, readable } from "../../../src/inspect/page/session/chart/viewport.ts"
import { labelPoint, pathData } from "../../../src/inspect/chart/drawn.ts"

describe("the layout of the session machine's chart", () => {
  it("has every state inside its parent, beside its neighbours, and every arrow", async () => {
    const { boxes, height, lines, width } = (await reckoned()).whole
    const chart = readChart(sessionMachine)
    const between = chart.arrows.filter(({ from, to }) => from !== to)
    assert.deepStrictEqual(
      lines.map(({ from, to }) => `${from} ${to}`).toSorted(),
      between.map(({ from, to }) => `${from} ${to}`).toSorted()
    )
    for (const line of lines) assert.isAtLeast(line.points.length, 2, `${line.from} ${line.to}`)
    const parentOf = (path: string) => path.split(".").slice(0, -1).join(".")
    for (const box of boxes) {
      const parent = boxes.find(({ path }) => path === parentOf(box.path)) ?? { x: 0, y: 0, width, height }
      assert.isTrue(box.x >= parent.x && box.x + box.width <= parent.x + parent.width, box.path)
      assert.isTrue(box.y >= parent.y && box.y + box.height <= parent.y + parent.height, box.path)
      for (const other of boxes.filter(({ path }) => path !== box.path && parentOf(path) === parentOf(box.path)))
        assert.isTrue(
          box.x + box.width <= other.x ||
            other.x + other.width <= box.x ||
            box.y + box.height <= other.y ||
            other.y + other.height <= box.y,
          `${box.path} and ${other.path}`
        )
    }
    assert.deepStrictEqual(
      boxes.filter(({ initial }) => initial).map(({ path }) => path),
      ["idle", "idle.asleep", "turning.queued", "retiring.asking"]
    )
    // A column beside the transcript: taller than wide.
    assert.isBelow(width, height)
  })
})

describe("the layout around each state", () => {
  it("has the state, every arrow out of it and into it, and is drawn readable on a laptop", async () => {
    const chart = readChart(sessionMachine)
    const { around, whole } = await reckoned()
    const leaves = whole.boxes.filter(({ kind }) => kind !== "compound").map(({ path }) => path)
    assert.deepStrictEqual(Object.keys(around).toSorted(), leaves.toSorted())
    for (const [path, { boxes, height, lines, width }] of Object.entries(around)) {
      const parents = new Set(path.split(".").map((_, n, keys) => keys.slice(0, n + 1).join(".")))
      const wanted = chart.arrows.filter(({ from, to }) => from !== to && (parents.has(from) || to === path))
      for (const { from, to } of wanted)
        assert.isTrue(
          lines.some((line) => line.from === from && line.to === to),
          `${path}: ${from} ${to}`
        )
      const drawn = new Set(boxes.map((box) => box.path))
      for (const { from, to } of lines) assert.isTrue(drawn.has(from) && drawn.has(to), `${path}: ${from} ${to}`)
      assert.isTrue(drawn.has(path), path)
      // A process can be killed from anywhere, and only that does not fit.
      const { k } = fitted({ height, width }, { width: 586, height: 482 }, { least: readable })
      if (path !== "retiring.killing")
        assert.isTrue(width * k <= 586 && height * k <= 482, `${path} ${width} ${height}`)
    }
  })
})

describe("a line of the chart", () => {
  it("has rounded corners, and its label at its longest part", () => {
    const points = [
      { x: 0, y: 0 },
      { x: 0, y: 10 },
      { x: 40, y: 10 }
    ]
    assert.strictEqual(pathData(points, 4), "M0 0L0 6Q0 10 4 10L40 10")
    assert.deepStrictEqual(labelPoint(points), { x: 20, y: 10 })
    assert.strictEqual(pathData([]), "")
  })
})
