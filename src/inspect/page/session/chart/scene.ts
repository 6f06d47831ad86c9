/** What a drawing of the chart says at one moment: which lines are lit, how thick, and what is written beside them. */
import type { Chart, ChartArrow, ChartState } from "../../../chart/read.ts"
import { wordsOfEvent } from "../../../client/machineWords.ts"
import { wayKey } from "../model/counts.ts"
import type { Count } from "../model/counts.ts"
import type { TakenWay } from "../model/takenWays.ts"
import { keyOf } from "../model/takenWays.ts"
import { lineage } from "../model/value.ts"
import type { Box, Drawn, Line } from "../../../chart/drawn.ts"
import { placeLabels } from "../../../chart/labels.ts"
import type { Placed } from "../../../chart/labels.ts"
import { written } from "../../../chart/said.ts"

export interface Look {
  readonly chart: Chart
  readonly drawn: Drawn
  /** The state it is in, such as `turning.asking`. */
  readonly active: string
  readonly counts: ReadonlyMap<string, Count>
  /** The ways that the last step went. */
  readonly last: ReadonlyArray<TakenWay>
  readonly selected: string | null
  readonly hovered: string | null
  /** Every label, not only those of the moment. */
  readonly all: boolean
  /** How long a delay is then, in words, by its name. */
  readonly delays?: ((name: string) => string) | undefined
  /** Only what is around one state is drawn, so there is room for more words. */
  readonly isNear?: boolean
  /** So many times larger the words are than the boxes were reckoned for. */
  readonly scale?: number
}

export interface DrawnLine {
  readonly line: Line
  readonly tone: "last" | "focus" | "awaited" | "taken" | "never"
  readonly width: number
}

export interface Scene {
  /** The faint ones first. */
  readonly lines: ReadonlyArray<DrawnLine>
  readonly labels: ReadonlyArray<Placed & { readonly tone: DrawnLine["tone"] }>
}

/** Between the boxes of two labels, where words are drawn as large as the states were reckoned for. */
export const labelGap = 4

const order: ReadonlyArray<DrawnLine["tone"]> = ["never", "taken", "awaited", "focus", "last"]

export const sceneOf = (look: Look): Scene => {
  const { active, chart, counts, drawn, hovered, last } = look
  const arrows = new Map(chart.arrows.map((arrow) => [keyOf(arrow), arrow] as const))
  const lately = new Set(last.map(keyOf))
  const activeStates = new Set(lineage(active))
  const focus = hovered ?? look.selected
  const toneOf = (line: Line): DrawnLine["tone"] => {
    if (focus !== null && (line.from === focus || line.to === focus)) return "focus"
    if (lately.has(keyOf(line))) return "last"
    if (activeStates.has(line.from)) return "awaited"
    return counts.has(keyOf(line)) ? "taken" : "never"
  }
  const lines = drawn.lines
    .map((line) => ({ line, tone: toneOf(line), width: widthOf(counts.get(keyOf(line))?.all ?? 0) }))
    .toSorted((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone))
  const named = lines.filter(({ tone }) => look.all || tone !== "never").toReversed()
  const texts = (each: DrawnLine) => {
    const count = counts.get(keyOf(each.line))
    // Of what is past, how often is enough.
    if (each.tone === "taken" && !look.all) return [`×${count?.all ?? 0}`]
    const timed = (event: string) => withDelay(event, look.delays)
    const most = each.tone === "focus" ? 4 : look.isNear === true ? 2 : 1
    return labelOf(arrows.get(keyOf(each.line)), count, each.tone === "last" ? last : null, most, timed)
  }
  /** What leads out of the state itself is more to who reads than what leads out of all that it is in. */
  const depth = ({ line, tone }: DrawnLine) => order.indexOf(tone) * 10 + line.from.split(".").length
  const placed = placeLabels(
    named
      .toSorted((a, b) => depth(b) - depth(a))
      .map((each) => ({
        line: each.line,
        texts: texts(each),
        isNeeded: each.tone === "last" || each.tone === "focus"
      })),
    drawn.boxes,
    drawn,
    { gap: labelGap, isAll: look.all, lines: look.isNear === true ? drawn.lines : [], scale: look.scale ?? 1 }
  )
  const tones = new Map(named.map(({ line, tone }) => [line, tone] as const))
  return { lines, labels: placed.map((label) => ({ ...label, tone: tones.get(label.line) ?? "never" })) }
}

/** One is a hair, a thousand is four pixels. */
const widthOf = (count: number): number => (count === 0 ? 1 : 1.4 + Math.min(2.6, Math.log10(count) * 0.9))

/** `last`: what was taken, where it was taken last. `most`: so many events are written out. */
const labelOf = (
  arrow: ChartArrow | undefined,
  count: Count | undefined,
  last: ReadonlyArray<TakenWay> | null,
  most: number,
  timed: (event: string) => string
): ReadonlyArray<string> => {
  if (arrow === undefined) return []
  const times = count === undefined ? "" : ` ×${count.all}`
  if (last !== null) {
    const way = last.find((each) => keyOf(each) === keyOf(arrow)) ?? arrow.ways[0]
    return [`${timed(way?.event ?? "")}${times}`]
  }
  // Guards part ways that lead to the same state; the event says enough here, the list beside says all.
  const lines = written(arrow, most, timed)
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ""}${times}`]
}

const after = "after "

const withDelay = (event: string, delays: Look["delays"]): string => {
  const length = event.startsWith(after) ? (delays?.(event.slice(after.length)) ?? "") : ""
  return `${wordsOfEvent(event)}${length === "" ? "" : ` (${length})`}`
}

export interface ListedWay {
  readonly from: string
  readonly to: string
  readonly event: string
  readonly guard: string | null
  readonly description: string
  readonly count: number
}

/** Every way out of a state, its parents' too, in the order of the machine. */
export const waysFrom = (
  { arrows }: Chart,
  path: string,
  counts: ReadonlyMap<string, Count>
): ReadonlyArray<ListedWay> => {
  const lineageOfPath = lineage(path)
  return arrows
    .filter(({ from }) => lineageOfPath.includes(from))
    .toSorted((a, b) => lineageOfPath.indexOf(b.from) - lineageOfPath.indexOf(a.from))
    .flatMap(({ from, to, ways }) =>
      ways.map(({ description, event, guard }) => {
        const taken = counts.get(keyOf({ from, to }))?.ways.get(wayKey({ event, guard })) ?? 0
        return { from, to, event, guard, description, count: taken }
      })
    )
}

/** How often a state went back into itself: such arrows are no lines. */
export const loopsOf = ({ path }: Box, counts: ReadonlyMap<string, Count>): number =>
  counts.get(keyOf({ from: path, to: path }))?.all ?? 0

export const stateAt = ({ root }: Chart, path: string): ChartState | undefined => {
  const find = (state: ChartState): ChartState | undefined =>
    state.path === path ? state : state.children.map(find).find((found) => found !== undefined)
  return find(root)
}
