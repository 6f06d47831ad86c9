/**
 * A session in three parts: its chart, why it is in its state with all that is known of it, and its time axis.
 *
 * The same parts show a session live and one that was exported; an exported one only has nobody to ask.
 */
import { useComputed } from "@preact/signals"
import laid from "virtual:chart-layout"
import { ProblemBox } from "../ui/Problem.tsx"
import { ChartView } from "./chart/ChartView.tsx"
import { StateList } from "./chart/StateList.tsx"
import { Head } from "./Head.tsx"
import { folded, panes, toggleFold, usualPanes } from "./panes.ts"
import type { PaneName, Panes } from "./panes.ts"
import { FoldButton, Splitter } from "./Splitter.tsx"
import { hashOfSession } from "../app/router.ts"
import { recentPassages } from "./model/recent.ts"
import { delayMillis, delayWords } from "./model/delays.ts"
import type { TakenWay } from "./model/takenWays.ts"
import { Panels } from "./panels/Panels.tsx"
import { Why } from "./panels/Why.tsx"
import type { Store } from "./store.ts"
import { Timeline } from "./time/Timeline.tsx"
import { TravelBar } from "./time/TravelBar.tsx"
import "./styles/session.css"
import "./styles/chart.css"
import "./styles/time.css"
import "./styles/panels.css"

export const Workbench = ({ store }: { readonly store: Store }) => {
  // Bound to the element: only what follows the pointer is rendered again, and nothing around it.
  const classes = useComputed(() =>
    ["view session", store.isLive.value ? "" : "as-it-was", ...folded.value.map((name) => `no-${name}`)]
      .filter((name) => name !== "")
      .join(" ")
  )
  const sizes = useComputed(() => sizesOf(panes.value))
  const isFolded = (name: PaneName) => folded.value.includes(name)
  const problem = store.problem.value
  const detail = store.detail.value
  if (problem !== undefined)
    return (
      <main id="view" class="view session-problem" tabIndex={-1}>
        <ProblemBox problem={problem} />
        <a href="#/sessions">All sessions</a>
      </main>
    )
  if (detail === undefined) return <main id="view" class="view" tabIndex={-1} aria-busy />
  return (
    <main id="view" class={classes} tabIndex={-1} style={sizes}>
      <Head store={store} detail={detail} />
      <section id="pane-chart" class="session-chart" aria-label="Machine">
        <FoldButton pane="chart" controls="pane-chart" name="the chart" />
        {isFolded("chart") ? null : (
          <>
            <Chart store={store} />
            <StateList store={store} />
          </>
        )}
      </section>
      <Splitter pane="chart" controls="pane-chart" label="Width of the chart" />
      <section class="session-now" aria-label="Why it stands where it stands">
        <Why store={store} detail={detail} />
      </section>
      <section
        id="pane-panels"
        class="session-panels"
        aria-label="What is known of it"
        onClick={(event) => isFolded("panels") && isTab(event.target) && toggleFold("panels")}
      >
        <FoldButton pane="panels" controls="pane-panels" name="the panels" />
        <Panels store={store} detail={detail} />
      </section>
      <Splitter pane="time" controls="pane-time" label="Height of the time axis" />
      <section id="pane-time" class="session-time" aria-label="Time">
        <FoldButton pane="time" controls="pane-time" name="the time axis" />
        <TravelBar store={store} />
        {isFolded("time") ? null : <Timeline store={store} />}
      </section>
    </main>
  )
}

/** On a wide screen the chart needs no more than it is drawn with, unless somebody wants it so. */
const sizesOf = ({ chart, time }: Panes): string =>
  `--chart-share: ${chart}; --time-share: ${time}; --chart-most: ${chart === usualPanes.chart ? "680px" : "100%"}`

/** Who presses a part's name wants to see it. */
const isTab = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("[role=tab]") !== null

const none: ReadonlyArray<TakenWay> = []

const Chart = ({ store }: { readonly store: Store }) => (
  <ChartView
    chart={store.chart}
    laid={laid}
    active={store.active.value}
    counts={store.counts.value}
    visits={store.visits.value}
    last={store.last.value?.taken ?? none}
    lastKey={`${store.last.value?.step.seq ?? 0}`}
    selected={store.selected.value}
    delays={(name) => delayWords(delayMillis(store.machine, name, store.snapshot.peek()))}
    onSelect={(path) => {
      store.selected.value = path
      if (path !== null) store.tab.value = "state"
    }}
    recent={{
      of: (from, to) => recentPassages(store.steps.peek(), store.moment.peek(), from, to),
      href: ({ seq }) => {
        const id = store.detail.peek()?.session.session_id
        if (store.api === null || id === undefined) return null
        return hashOfSession(id, { moment: { of: "steps", seq }, tab: "state" })
      },
      go: ({ count }) => {
        store.tab.value = "state"
        store.travel(count)
      }
    }}
    onLook={(path) => (store.selected.value = path)}
  />
)
