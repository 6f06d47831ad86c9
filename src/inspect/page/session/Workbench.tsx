/**
 * A session in three parts: its chart, why it is in its state with all that is known of it, and its time axis.
 *
 * The same parts show a session live and one that was exported; an exported one only has nobody to ask.
 */
import { useComputed } from "@preact/signals"
import drawn from "virtual:chart-layout"
import { ProblemBox } from "../ui/Problem.tsx"
import { ChartView } from "./chart/ChartView.tsx"
import { StateList } from "./chart/StateList.tsx"
import { Head } from "./Head.tsx"
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
  const classes = useComputed(() => `view session${store.isLive.value ? "" : " as-it-was"}`)
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
    <main id="view" class={classes} tabIndex={-1}>
      <Head store={store} detail={detail} />
      <section class="session-chart" aria-label="Machine">
        <Chart store={store} />
        <StateList store={store} />
      </section>
      <section class="session-now" aria-label="Why it stands where it stands">
        <Why store={store} detail={detail} />
      </section>
      <section class="session-panels" aria-label="What is known of it">
        <Panels store={store} detail={detail} />
      </section>
      <section class="session-time" aria-label="Time">
        <TravelBar store={store} />
        <Timeline store={store} />
      </section>
    </main>
  )
}

const none: ReadonlyArray<TakenWay> = []

const Chart = ({ store }: { readonly store: Store }) => (
  <ChartView
    chart={store.chart}
    drawn={drawn}
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
  />
)
