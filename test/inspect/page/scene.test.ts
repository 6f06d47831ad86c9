/** What the drawn chart shows at a moment, and that its labels are readable. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { reckoned } from "../../../scripts/chartLayout.ts"
import { readChart } from "../../../src/inspect/chart/read.ts"
import { placeLabels } from "../../../src/inspect/chart/labels.ts"
import type { Placed } from "../../../src/inspect/chart/labels.ts"
import { textWidth } from "../../../src/inspect/chart/textWidth.ts"
import { labelGap, loopsOf, sceneOf, waysFrom } from "../../../src/inspect/page/session/chart/scene.ts"
import {
  fitted,
  leastNear,
  leastText,
  readable,
  scaled,
  shifted,
  textScale,
  textSize
} from "../../../src/inspect/page/session/chart/viewport.ts"
import { countsAfter, visitsAfter } from "../../../src/inspect/page/session/model/counts.ts"
import { delayMillis, delayWords } from "../../../src/inspect/page/session/model/delays.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import { eventful, stored } from "./harness.ts"

const replay = new Replay(sessionMachine)
replay.append(stored(eventful).steps)
const chart = readChart(sessionMachine)

const sceneAfter = async (count: number, focus: Partial<Parameters<typeof sceneOf>[0]> = {}) => {
  const { value } = replay.at(count)
  return sceneOf({
    chart,
    drawn: (await reckoned()).whole,
    active: typeof value === "string" ? value : Object.entries(value).flat().join("."),
    counts: countsAfter(replay.steps, count),
    last: replay.steps[count - 1]?.taken ?? [],
    selected: null,
    hovered: null,
    all: false,
    ...focus
  })
}
const toneOf = ({ lines }: Awaited<ReturnType<typeof sceneAfter>>, from: string, to: string) =>
  lines.find(({ line }) => line.from === from && line.to === to)?.tone

describe("the chart at a moment", () => {
  it("highlights the last transition, labels those out of the present state, and leaves the rest faint", async () => {
    const scene = await sceneAfter(4)
    assert.strictEqual(toneOf(scene, "turning.running", "turning.asking"), "last")
    assert.strictEqual(toneOf(scene, "turning.asking", "turning.running"), "awaited")
    assert.strictEqual(toneOf(scene, "turning", "idle.asleep"), "awaited")
    assert.strictEqual(toneOf(scene, "turning.queued", "turning.starting"), "taken")
    assert.strictEqual(toneOf(scene, "idle.parked", "idle.asleep"), "never")
    assert.include(
      scene.labels.map(({ texts }) => texts.join()),
      "it asks a person ×1"
    )
    // Highlighted lines are drawn on top.
    assert.strictEqual(scene.lines.at(-1)?.tone, "last")
  })

  it("draws frequent transitions thicker", async () => {
    const { lines } = await sceneAfter(replay.steps.length)
    const widthOf = (from: string, to: string) =>
      lines.find(({ line }) => line.from === from && line.to === to)?.width ?? 0
    assert.isAbove(widthOf("turning.running", "idle.awake"), widthOf("turning.starting", "turning.running"))
    assert.isAbove(widthOf("turning.starting", "turning.running"), widthOf("idle.parked", "closed"))
  })

  it("labels the arrows into and out of a state under the pointer", async () => {
    const scene = await sceneAfter(4, { hovered: "idle.backingOff" })
    assert.strictEqual(toneOf(scene, "idle.backingOff", "idle.waking"), "focus")
    const label = scene.labels.find(({ line }) => line.from === "idle.backingOff" && line.to === "closed")
    assert.deepStrictEqual(label?.texts, ["it is to close", "its lifetime is over"])
  })

  it("labels every line on demand", async () => {
    const { labels, lines } = await sceneAfter(4, { all: true })
    assert.deepStrictEqual(
      labels.map(({ line }) => `${line.from} ${line.to}`).toSorted(),
      lines.map(({ line }) => `${line.from} ${line.to}`).toSorted()
    )
  })

  it("labels timers with their duration", async () => {
    const scene = await sceneAfter(6, { delays: (name) => (name === "hibernateAfter" ? "5 min" : "") })
    const label = scene.labels.find(({ line }) => line.from === "idle.awake" && line.to === "retiring")
    assert.match(label?.texts.join() ?? "", /^no turn for long \(5 min\) \+\d/)
  })

  it("lists every transition out of a state with its count, those of its parents after its own", () => {
    const ways = waysFrom(chart, "turning.running", countsAfter(replay.steps, replay.steps.length))
    const good = ways.find(({ event, guard }) => event === "turn.ended" && guard === "endedWell")
    assert.strictEqual(good?.count, 2)
    assert.strictEqual(ways.find(({ event }) => event === "agent.quiet")?.count, 0)
    const froms = ways.map(({ from }) => from)
    assert.deepStrictEqual([...new Set(froms)], ["turning.running", "turning"])
  })

  it("counts visits, and transitions back into the same state", async () => {
    const visits = visitsAfter(replay.steps, replay.steps.length)
    assert.strictEqual(visits.get("turning.running"), 4)
    assert.strictEqual(visits.get("idle.asleep"), 2)
    assert.isUndefined(visits.get("idle.parked"))
    const { boxes } = (await reckoned()).whole
    const waking = boxes.find(({ path }) => path === "idle.waking")
    assert.isDefined(waking)
    if (waking !== undefined) assert.strictEqual(loopsOf(waking, countsAfter(replay.steps, 11)), 1)
  })

  it("knows the duration of each delay, computed ones too", () => {
    assert.strictEqual(delayMillis(sessionMachine, "hibernateAfter", replay.at(0)), 300_000)
    assert.strictEqual(delayMillis(sessionMachine, "turnWithin", replay.at(1)), 600_000)
    assert.strictEqual(delayMillis(sessionMachine, "backoff", replay.at(9)), 275)
    assert.isNull(delayMillis(sessionMachine, "never", replay.at(0)))
    assert.deepStrictEqual([null, 0, 275, 300_000].map(delayWords), ["", "", "275 ms", "5 min"])
  })
})

/** How far two boxes are from each other; below zero where they overlap. */
const between = (a: Rect, b: Rect): number =>
  Math.max(
    Math.max(a.x, b.x) - Math.min(a.x + a.width, b.x + b.width),
    Math.max(a.y, b.y) - Math.min(a.y + a.height, b.y + b.height)
  )
type Rect = Pick<Placed, "height" | "width" | "x" | "y">

describe("labels of the chart", () => {
  it("stay apart from each other around each state, however it was entered, and cover next to nothing of a state", async () => {
    const { around } = await reckoned()
    let seen = 0
    for (const [path, drawn] of Object.entries(around))
      for (const last of [undefined, ...chart.arrows.filter(({ to }) => to === path)])
        for (const scale of [1, 1.15]) {
          const { labels } = sceneOf({
            chart,
            drawn,
            active: path,
            counts: new Map(last === undefined ? [] : [[`${last.from} ${last.to}`, { all: 12, ways: new Map() }]]),
            last: last?.ways.slice(0, 1).map(({ event, guard }) => ({ ...last, event, guard })) ?? [],
            selected: null,
            hovered: null,
            all: false,
            delays: () => "10 min",
            isNear: true,
            scale
          })
          seen += labels.length
          for (const [n, label] of labels.entries()) {
            const what = `${path} from ${last?.from}, ${scale}: ${label.texts.join(", ")}`
            for (const other of labels.slice(n + 1))
              assert.isAtLeast(between(label, other), labelGap * scale - 0.01, `${what} and ${other.texts.join(", ")}`)
            const space = label.width * label.height
            for (const box of drawn.boxes.filter(({ kind }) => kind === "atomic" || kind === "final")) {
              const [wide, high] = [
                Math.min(label.x + label.width, box.x + box.width) - Math.max(label.x, box.x),
                Math.min(label.y + label.height, box.y + box.height) - Math.max(label.y, box.y)
              ]
              if (wide > 0 && high > 0) assert.isBelow(wide * high, 0.2 * space, `${what} over ${box.path}`)
            }
          }
        }
    assert.isAbove(seen, 400)
  })

  it("have room for their words", () => {
    // As Chromium measures them in DejaVu Sans, of 12 px.
    for (const [text, width] of [
      ["a prompt comes ×3", 119.4],
      ["somebody interrupts +1", 146.5],
      ["its time is up (10 min)", 132.5],
      ["×2", 17.7]
    ] as const)
      assert.isTrue(Math.abs(textWidth(text) - width) < 0.05 * width, `${text} ${textWidth(text)}`)
  })

  it("do not overlap each other or the states", () => {
    const line = {
      from: "a",
      to: "b",
      points: [
        { x: 100, y: 0 },
        { x: 100, y: 200 }
      ]
    }
    const box = { path: "b", key: "b", kind: "atomic" as const, initial: false, x: 50, y: 80, width: 100, height: 40 }
    const placed = placeLabels(
      [
        { line, texts: ["one"] },
        { line, texts: ["two"] },
        { line, texts: ["three", "lines", "here"] }
      ],
      [box],
      { width: 300, height: 220 }
    )
    const rects = [...placed, box]
    for (const [n, a] of rects.entries())
      for (const b of rects.slice(n + 1))
        assert.isTrue(
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y,
          JSON.stringify([a, b])
        )
  })
})

describe("the part of a drawing that is seen", () => {
  it("keeps words readable: they grow where it is smaller, and what is around a state is never smaller than that", () => {
    assert.strictEqual(textScale(1.2), 1)
    assert.closeTo(textScale(0.5) * 0.5 * textSize, leastText, 0.6)
    const first = { x: 1_800, y: 900, width: 90, height: 30 }
    const view = fitted({ width: 2_000, height: 1_000 }, { width: 500, height: 400 }, { least: readable, first })
    assert.strictEqual(view.k, readable)
    // The state that it is about is in sight.
    assert.isTrue(first.x * view.k + view.x >= 0 && (first.x + first.width) * view.k + view.x <= 500)
    assert.isTrue(first.y * view.k + view.y >= 0 && (first.y + first.height) * view.k + view.y <= 400)
  })

  it("is drawn smaller where it does not fit, with words that grow, and goes away from the small map's corner", () => {
    const [drawn, element] = [
      { width: 600, height: 340 },
      { width: 540, height: 480 }
    ]
    const view = fitted(drawn, element, { least: leastNear, corner: { width: 90, height: 140 } })
    assert.isAtMost(drawn.width * view.k + view.x, element.width)
    assert.isAtMost(textScale(view.k), 1.15)
    const large = fitted(
      { width: 587, height: 402 },
      { width: 586, height: 482 },
      { corner: { width: 90, height: 140 } }
    )
    assert.strictEqual(large.k, readable)
    assert.isTrue(large.x <= 4 && large.y <= 4)
  })

  it("leaves the corner of the small map free where it can", () => {
    const corner = { width: 90, height: 140 }
    const view = fitted({ width: 300, height: 300 }, { width: 420, height: 324 }, { corner })
    assert.isAtMost(300 * view.k + view.x, 420 - corner.width)
  })

  it("is all of it at first, and keeps the point under the pointer in place while zooming", () => {
    const view = fitted({ width: 500, height: 1_000 }, { width: 400, height: 524 })
    assert.strictEqual(view.k, 0.5)
    assert.strictEqual(view.x, 75)
    const closer = scaled(view, 2, 100, 100)
    assert.closeTo((100 - closer.x) / closer.k, (100 - view.x) / view.k, 1e-9)
    assert.strictEqual(scaled(view, 1_000, 0, 0).k, 3)
    assert.deepStrictEqual(shifted(view, 5, -5), { k: 0.5, x: 80, y: view.y - 5 })
  })
})
