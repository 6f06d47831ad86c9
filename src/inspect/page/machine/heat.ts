/**
 * The steps of many sessions, laid over the chart: how often each of its ways was taken, which never were, and what was
 * stepped that the chart does not draw, such as by an older version of the machine.
 *
 * A step says its event and where it began and ended, not which guard held. Where two ways explain it, it counts for
 * the innermost state's, and there for the first, which is the order in which the machine looks.
 */
import { eventName } from "../../chart/eventName.ts"
import type { Chart, ChartArrow, ChartState } from "../../chart/read.ts"
import type { Coverage } from "../../contract.ts"

type TransitionCount = Coverage["taken"][number]

/** All that leads from here to there on one event, whatever the guard. */
export interface HeatWay {
  readonly from: string
  readonly to: string
  readonly event: string
  readonly guards: ReadonlyArray<string>
  readonly count: number
}

export interface Heat {
  /** By `from to`. */
  readonly counts: ReadonlyMap<string, { readonly all: number; readonly ways: ReadonlyMap<string, number> }>
  /** How often each state was entered. Left counts as entered where it is more: a session begins in a state. */
  readonly visits: ReadonlyMap<string, number>
  /** In the order of the machine. */
  readonly ways: ReadonlyArray<HeatWay>
  readonly strange: ReadonlyArray<TransitionCount>
  readonly steps: number
}

const always = "always"
/** More states in a row that are only passed through than any machine of ours has. */
const longestPassage = 6

export const heatOf = (chart: Chart, taken: ReadonlyArray<TransitionCount>): Heat => {
  const initial = initialsOf(chart.root)
  const arrows = new Map<string, Map<string, number>>()
  const entered = new Map<string, number>()
  const left = new Map<string, number>()
  const strange: Array<TransitionCount> = []
  let steps = 0
  for (const each of taken) {
    const { from, n, to } = each
    steps += n
    if (from !== to) {
      entered.set(to, (entered.get(to) ?? 0) + n)
      left.set(from, (left.get(from) ?? 0) + n)
    }
    const passage = passageOf(chart, initial, { ...each, event: eventName(each.event) })
    // What is heard and ignored is not drawn, and leads nowhere.
    if (passage === undefined && from !== to) strange.push(each)
    for (const [n1, arrow] of (passage ?? []).entries()) {
      const events = arrows.get(keyOf(arrow)) ?? new Map<string, number>()
      const event = n1 === 0 ? eventName(each.event) : always
      arrows.set(keyOf(arrow), events.set(event, (events.get(event) ?? 0) + n))
    }
  }
  return {
    counts: new Map(
      [...arrows].map(([key, ways]) => [key, { all: ways.values().reduce((a, b) => a + b, 0), ways }] as const)
    ),
    visits: new Map(
      [...entered, ...left].map(([state]) => [state, Math.max(entered.get(state) ?? 0, left.get(state) ?? 0)])
    ),
    ways: chart.arrows.flatMap((arrow) =>
      [...new Set(arrow.ways.map(({ event }) => event))].map((event) => ({
        from: arrow.from,
        to: arrow.to,
        event,
        guards: arrow.ways.flatMap((way) => (way.event === event && way.guard !== null ? [way.guard] : [])),
        count: arrows.get(keyOf(arrow))?.get(event) ?? 0
      }))
    ),
    strange,
    steps
  }
}

const keyOf = ({ from, to }: ChartArrow): string => `${from} ${to}`

/** The arrow that the event took, and those that were passed along after it; the shortest that ends where the step did. */
const passageOf = (
  { arrows }: Chart,
  initial: ReadonlyMap<string, string>,
  { event, from, to }: TransitionCount
): ReadonlyArray<ChartArrow> | undefined => {
  let paths = leading(arrows, from, event).map((arrow) => [arrow])
  for (let length = 1; length <= longestPassage && paths.length > 0; length++) {
    const found = paths.find((path) => endOf(path, initial, from) === to)
    if (found !== undefined) return found
    paths = paths.flatMap((path) => {
      const end = endOf(path, initial, from)
      return leading(arrows, end, always).flatMap((arrow) => (path.includes(arrow) ? [] : [[...path, arrow]]))
    })
  }
  return undefined
}

const endOf = (path: ReadonlyArray<ChartArrow>, initial: ReadonlyMap<string, string>, start: string): string => {
  const last = path.at(-1)
  if (last === undefined) return start
  // One that only acts stays where it was, inside of whatever draws it.
  if (last.from === last.to) return path.length === 1 ? start : endOf(path.slice(0, -1), initial, start)
  return leafOf(initial, last.to)
}

/** The innermost state's before its parents'. */
const leading = (arrows: ReadonlyArray<ChartArrow>, from: string, event: string): ReadonlyArray<ChartArrow> => {
  const keys = from.split(".")
  return keys.flatMap((_, n) => {
    const at = keys.slice(0, keys.length - n).join(".")
    return arrows.filter((arrow) => arrow.from === at && arrow.ways.some((way) => way.event === event))
  })
}

const initialsOf = (state: ChartState): ReadonlyMap<string, string> =>
  new Map([
    ...(state.initial === null ? [] : [[state.path, state.initial] as const]),
    ...state.children.flatMap((child) => [...initialsOf(child)])
  ])

/** The leaf that is entered with this state. */
const leafOf = (initial: ReadonlyMap<string, string>, path: string): string => {
  const inner = initial.get(path)
  return inner === undefined ? path : leafOf(initial, inner)
}
