/** The overview: what became of turns within an hour or a day, who has the places, how the agents are, what it all cost. */
import { useState } from "preact/hooks"
import { api, leaveWhereRefused } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { useAsked } from "../ui/useAsked.ts"
import { Bars } from "./Bars.tsx"
import { Numbers } from "./Numbers.tsx"
import { Agents, Days, Pool } from "./tables.tsx"
import "./fleet.css"

const askMillis = 5_000
const windows = { hour: "1 hour", day: "24 hours" } as const
type Window = keyof typeof windows

export default function FleetView() {
  const [window, setWindow] = useState<Window>("hour")
  const { latest, problem } = useAsked(() => api.fleet(window), askMillis, [window], leaveWhereRefused)
  return (
    <main id="view" class="view" tabIndex={-1} aria-busy={latest === undefined && problem === undefined}>
      <div class="fleet">
        <header class="fleet-head">
          <h1>Overview</h1>
          <div class="fleet-windows" role="group" aria-label="Of the last">
            {Object.entries(windows).map(([each, name]) => (
              <button
                key={each}
                type="button"
                class="button"
                aria-pressed={each === window}
                onClick={() => setWindow(each as Window)}
              >
                {name}
              </button>
            ))}
          </div>
        </header>
        {problem === undefined ? null : <ProblemBox problem={problem} />}
        {latest === undefined ? null : (
          <>
            <Numbers numbers={latest.all} />
            <Bars key={latest.step_seconds} fleet={latest} />
            <Pool pool={latest.pool} />
            <Agents agents={latest.agents} />
            <Days days={latest.days} />
          </>
        )}
      </div>
    </main>
  )
}
