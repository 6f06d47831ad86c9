/** The part of a chart around one state: what it can be left for, what it is entered from, and the states that these are in. */
import type { Chart, ChartState } from "./read.ts"

export const around = (chart: Chart, path: string): Chart => {
  const states = new Map(flat(chart.root).map((state) => [state.path, state] as const))
  /** The leaf that is entered with it. */
  const leafOf = (at: string): string => {
    const initial = states.get(at)?.initial ?? null
    return initial === null ? at : leafOf(initial)
  }
  const lineage = new Set(path.split(".").map((_, n, keys) => keys.slice(0, n + 1).join(".")))
  // What an ancestor draws to another state leads out of this one, too.
  const arrows = chart.arrows.filter(({ from, to }) => lineage.has(from) || leafOf(to) === path)
  const near = new Set([path, ...arrows.flatMap(({ from, to }) => [leafOf(from), leafOf(to)])])
  const isKept = (state: ChartState): boolean =>
    state.kind === "compound" || state.kind === "parallel" ? state.children.length > 0 : near.has(state.path)
  const prune = (state: ChartState): ChartState => ({ ...state, children: state.children.map(prune).filter(isKept) })
  return { ...chart, root: prune(chart.root), arrows }
}

const flat = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(flat)]
