/** Draws the session machine as text: its states with the current one marked, and the arrows out of it. */
import { sessionMachine } from "../../../machines/session/machine.ts"
import { readChart } from "../../inspect/chart/read.ts"
import type { ChartArrow, ChartState } from "../../inspect/chart/read.ts"
import { toneOf } from "../../inspect/client/tones.ts"
import { span } from "./cells.ts"
import type { Line, Span } from "./cells.ts"
import { styleOf } from "./words.ts"

const chart = readChart(sessionMachine)
const widestKey = Math.max(...chart.root.children.map(({ key }) => key.length))

const marked = ({ key, path }: ChartState, active: string): Span =>
  path === active
    ? span(`[${key}]`, ["bold", "inverse", styleOf(toneOf(active))])
    : span(` ${key} `, active.startsWith(`${path}.`) ? "bold" : "dim")

/** A line for each top-level state, with the states within it: four lines. */
export const flatChart = (active: string): ReadonlyArray<Line> =>
  chart.root.children.map((state) => [
    marked(state, active),
    span(" ".repeat(widestKey - state.key.length)),
    ...state.children.map((child) => marked(child, active))
  ])

/** A line for each state. */
export const treeChart = (active: string): ReadonlyArray<Line> =>
  chart.root.children.flatMap((state) => [
    [marked(state, active)],
    ...state.children.map((child, nth): Line => [
      span(nth === state.children.length - 1 ? "  └─ " : "  ├─ ", "dim"),
      marked(child, active)
    ])
  ])

/**
 * `turn.submitted [hasProcess] → turning.running`. Timers come first, with the time that is left; arrows without an event
 * come last, because a session that rests in the state did not take them.
 */
export const arrowsFrom = (active: string, left: (delay: string) => string | null): ReadonlyArray<Line> => {
  const keys = active.split(".")
  const lineage = keys.map((_, n) => keys.slice(0, keys.length - n).join("."))
  const ways = lineage.flatMap((path) => chart.arrows.filter(({ from }) => from === path).flatMap(waysOf))
  const firstOf = (event: string) => ways.findIndex((way) => way.event === event)
  return ways
    .toSorted(
      (a, b) =>
        rankOf(a) - rankOf(b) ||
        firstOf(a.event) - firstOf(b.event) ||
        // The arrow without a guard is taken where no guard holds.
        Number(a.guard === null) - Number(b.guard === null)
    )
    .map((way) => lineOf(way, left))
}

const waysOf = ({ from, to, ways }: ChartArrow) => ways.map((way) => ({ ...way, to: from === to ? null : to }))
type Way = ReturnType<typeof waysOf>[number]

const rankOf = ({ event }: Way): number => (event.startsWith("after ") ? 0 : event === "always" ? 2 : 1)

const lineOf = ({ event, guard, to }: Way, left: (delay: string) => string | null): Line => {
  const delay = event.startsWith("after ") ? event.slice("after ".length) : null
  const time = delay === null ? null : left(delay)
  return [
    span(event, delay === null ? null : "yellow"),
    ...(time === null ? [] : [span(` ${time}`, ["bold", "yellow"])]),
    ...(guard === null ? [] : [span(` [${guard}]`, "dim")]),
    span(to === null ? " ↺" : ` → ${to}`, "cyan")
  ]
}
