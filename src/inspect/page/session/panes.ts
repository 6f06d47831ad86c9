/**
 * How the panes of a session share the window, and which are folded: as they were left, kept by the browser for every
 * session. Sizes are shares, so that what was right on one screen is sensible on the next.
 */
import { computed, effect, signal } from "@preact/signals"

export const paneNames = ["chart", "panels", "time"] as const
export type PaneName = (typeof paneNames)[number]

/** Those with a border that can be moved: the chart's share of the width, the time axis's of the height. */
export type SizedPane = Exclude<PaneName, "panels">

export interface Bounds {
  readonly least: number
  readonly most: number
  /** Where nothing was chosen. */
  readonly usual: number
}

export const boundsOf: Readonly<Record<SizedPane, Bounds>> = {
  chart: { least: 0.2, most: 0.7, usual: 0.43 },
  time: { least: 0.12, most: 0.7, usual: 0.22 }
}

export interface Panes {
  readonly chart: number
  readonly time: number
  readonly folded: ReadonlyArray<PaneName>
}

export const usualPanes: Panes = { chart: boundsOf.chart.usual, time: boundsOf.time.usual, folded: [] }

const within = (pane: SizedPane, share: unknown): number => {
  const { least, most, usual } = boundsOf[pane]
  return typeof share === "number" && Number.isFinite(share) ? Math.min(most, Math.max(least, share)) : usual
}

/** Of what a browser has stored, perhaps by another version, what makes sense. */
export const readPanes = (text: string | null): Panes => {
  let kept: unknown
  try {
    kept = JSON.parse(text ?? "")
  } catch {
    return usualPanes
  }
  if (typeof kept !== "object" || kept === null) return usualPanes
  const { chart, folded, time } = kept as Readonly<Record<string, unknown>>
  return {
    chart: within("chart", chart),
    time: within("time", time),
    folded: Array.isArray(folded) ? paneNames.filter((name) => folded.includes(name)) : []
  }
}

const storedAs = "troupe.panes"

/** A browser may keep storage from a page, and says so by throwing. */
const stored = (): Panes => {
  try {
    return readPanes(localStorage.getItem(storedAs))
  } catch {
    return usualPanes
  }
}

export const panes = signal(stored())

/** Not told of a border that moves. */
export const folded = computed(() => panes.value.folded)

effect(() => {
  const now = panes.value
  try {
    if (now === usualPanes) localStorage.removeItem(storedAs)
    else localStorage.setItem(storedAs, JSON.stringify(now))
  } catch {
    // Then they hold until the page is closed.
  }
})

export const resize = (pane: SizedPane, share: number): void => {
  panes.value = { ...panes.peek(), [pane]: within(pane, share) }
}

export const toggleFold = (pane: PaneName): void => {
  const { folded } = panes.peek()
  panes.value = {
    ...panes.peek(),
    folded: folded.includes(pane) ? folded.filter((name) => name !== pane) : [...folded, pane]
  }
}
