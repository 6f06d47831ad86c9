/** The session machine over all sessions: how often each of its arrows was taken, and which never were. */
import { useEffect, useMemo, useState } from "preact/hooks"
import laid from "virtual:chart-layout"
import { readChart } from "../../chart/read.ts"
import type { Coverage } from "../../contract.ts"
import { wordsOfEvent, wordsOfGuard } from "../../client/machineWords.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { digits } from "../../client/format.ts"
import { ChartView } from "../session/chart/ChartView.tsx"
import { machineOf } from "../session/model/replay.ts"
import { api, me } from "../store.ts"
import { toneOf } from "../../client/tones.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { Sign } from "../ui/State.tsx"
import { heatOf } from "./heat.ts"
import type { Heat, HeatWay } from "./heat.ts"
import "../session/styles/chart.css"
import "./machine.css"

export default function MachineView() {
  const bounds = me.value?.bounds
  const [agent, setAgent] = useState<string | null>(null)
  const [agents, setAgents] = useState<ReadonlyArray<string>>([])
  const [coverage, setCoverage] = useState<Coverage | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  const [selected, setSelected] = useState<string | null>(null)

  const ask = async (isWanted: () => boolean) => {
    try {
      const [counted, { agents }] = await Promise.all([api.coverage(agent), api.sessions({}, 1)])
      if (!isWanted()) return
      setCoverage(counted)
      setAgents(agents)
      setProblem(undefined)
    } catch (cause) {
      if (!isWanted()) return
      const problem = problemFrom(cause)
      setProblem(problem)
      if (problem.status === 401) me.value = null
    }
  }
  useEffect(() => {
    let isHere = true
    void ask(() => isHere)
    return () => {
      isHere = false
    }
  }, [agent])

  const chart = useMemo(() => (bounds === undefined ? undefined : readChart(machineOf(bounds))), [bounds])
  const heat = useMemo(
    () => (chart === undefined || coverage === undefined ? undefined : heatOf(chart, coverage.taken)),
    [chart, coverage]
  )
  if (chart === undefined) return null
  return (
    <main id="view" class="view machine" tabIndex={-1} aria-busy={heat === undefined}>
      <div class="machine-chart">
        {heat === undefined ? null : (
          <ChartView
            chart={chart}
            laid={laid}
            active=""
            counts={heat.counts}
            visits={heat.visits}
            last={[]}
            lastKey=""
            selected={selected}
            onSelect={setSelected}
          />
        )}
      </div>
      <section class="machine-side" aria-label="Coverage">
        <header class="machine-head">
          <h1>The session machine</h1>
          <select
            class="select"
            aria-label="Sessions of which agent"
            value={agent ?? ""}
            onChange={(event) => setAgent(event.currentTarget.value === "" ? null : event.currentTarget.value)}
          >
            <option value="">All agents</option>
            {agents.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <button type="button" class="button" onClick={() => void ask(() => true)}>
            Count again
          </button>
        </header>
        {problem === undefined ? null : <ProblemBox problem={problem} />}
        {heat === undefined ? null : <Ways heat={heat} selected={selected} onSelect={setSelected} />}
      </section>
    </main>
  )
}

interface WaysProps {
  readonly heat: Heat
  readonly selected: string | null
  readonly onSelect: (path: string | null) => void
}

const Ways = ({ heat, onSelect, selected }: WaysProps) => {
  const taken = heat.ways.filter(({ count }) => count > 0).length
  const most = Math.max(1, ...heat.ways.map(({ count }) => count))
  const shown =
    selected === null
      ? heat.ways.toSorted((a, b) => b.count - a.count)
      : heat.ways.filter(({ from, to }) => isAt(from, selected) || isAt(to, selected))
  return (
    <>
      <p class="machine-sum">
        <b>{digits(taken)}</b> of {heat.ways.length} arrows were taken, in <b>{digits(heat.steps)}</b> of the latest
        steps.
        {selected === null ? null : (
          <button type="button" class="button" onClick={() => onSelect(null)}>
            All states
          </button>
        )}
      </p>
      {heat.strange.length === 0 ? null : (
        <div class="machine-strange" role="alert">
          <strong>Steps that the chart does not draw</strong>
          <ul>
            {heat.strange.map(({ event, from, n, to }) => (
              <li key={`${from} ${event} ${to}`}>
                {from} → {to} on {wordsOfEvent(event)}, {digits(n)}×
              </li>
            ))}
          </ul>
        </div>
      )}
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Event</th>
            <th scope="col">To</th>
            <th scope="col" class="number">
              Taken
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((way) => (
            <Way key={`${way.from} ${way.event} ${way.to}`} way={way} most={most} />
          ))}
        </tbody>
      </table>
    </>
  )
}

/** In it, or around it. */
const isAt = (path: string, selected: string): boolean => path === selected || selected.startsWith(`${path}.`)

const Way = ({ most, way: { count, event, from, guards, to } }: { readonly way: HeatWay; readonly most: number }) => (
  <tr class={count === 0 ? "never" : ""}>
    <td>
      <State path={from} />
    </td>
    <td>
      <span title={event}>{wordsOfEvent(event)}</span>
      {guards.length === 0 ? null : (
        <span class="faint heat-guards" title={guards.join(", ")}>
          {" "}
          if {guards.map(wordsOfGuard).join(", or ")}
        </span>
      )}
    </td>
    <td>{from === to ? <span class="faint">stays</span> : <State path={to} />}</td>
    <td class="number heat-count">
      {/* As wide as it is often, on a scale where ten times as often is as much wider each time. */}
      <i style={{ width: `${count === 0 ? 0 : 16 + (84 * Math.log10(count)) / Math.max(1, Math.log10(most))}%` }} />
      <span>{count === 0 ? "never" : digits(count)}</span>
    </td>
  </tr>
)

const State = ({ path }: { readonly path: string }) => (
  <span class={`heat-state tone-${toneOf(path)}`}>
    <Sign tone={toneOf(path)} />
    <span>
      {path.split(".").map((key, n) => (
        <>
          {n === 0 ? "" : "."}
          <wbr />
          {key}
        </>
      ))}
    </span>
  </span>
)
