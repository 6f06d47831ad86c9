/** The agents: which there are, in which version, whether they can be started, and how their starts went. */
import { useState } from "preact/hooks"
import type { Agents, Checked } from "../../fleetContract.ts"
import { duration } from "../../client/format.ts"
import { now } from "../clock.ts"
import { api, isAdmin, sayProblem } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { useAsked } from "../ui/useAsked.ts"
import { Age, Countdown } from "../ui/Time.tsx"
import "./agents.css"

type Agent = Agents["agents"][number]

const askMillis = 3_000

export default function AgentsView() {
  const { latest, problem } = useAsked(() => api.agents(), askMillis, [])
  const agents = latest?.agents
  return (
    <main id="view" class="view agents" tabIndex={-1} aria-busy={agents === undefined && problem === undefined}>
      <h1>Agents</h1>
      {problem === undefined ? null : <ProblemBox problem={problem} />}
      {agents === undefined ? null : (
        <ul class="agent-list">
          {agents.map((agent) => (
            <Row key={agent.name} agent={agent} />
          ))}
        </ul>
      )}
      <p class="faint">
        Starts are those of this Troupe since it was started. An agent whose starts fail five times in a row is left
        alone for 30 s at a time; turns that need it fail at once meanwhile.
      </p>
    </main>
  )
}

const Row = ({ agent }: { readonly agent: Agent }) => {
  const { available, circuit, hint, name, protocol, starts, version } = agent
  const isOpen = circuit !== null && circuit.until > now.value
  return (
    <li class="panel agent" data-agent={name}>
      <header>
        <h2>{name}</h2>
        <span class="faint">
          {protocol}
          {version === null ? "" : ` · version ${version}`}
        </span>
        {!available ? (
          <b class="agent-state bad">not installed</b>
        ) : isOpen ? (
          <b class="agent-state bad">
            not started for <Countdown at={circuit.until} />
          </b>
        ) : (
          <b class="agent-state good">can be started</b>
        )}
        {isAdmin.value && available ? <Check name={name} /> : null}
      </header>
      {hint === null ? null : <p>{hint}</p>}
      {isOpen ? (
        <p class="bad" role="status">
          Its starts kept failing: {circuit.reason}
        </p>
      ) : null}
      <dl class="facts">
        <div>
          <dt>starts</dt>
          <dd>
            {starts.succeeded} good, <span class={starts.failed === 0 ? "" : "bad"}>{starts.failed} failed</span>
          </dd>
        </div>
        <div>
          <dt>time to get ready</dt>
          <dd>
            {starts.p50 === null || starts.p95 === null
              ? "not known yet"
              : `${seconds(starts.p50)} half of them, ${seconds(starts.p95)} 95 of 100`}
          </dd>
        </div>
        {starts.last_failure === null ? null : (
          <div class="agent-failure">
            <dt>last failure</dt>
            <dd>
              <Age at={starts.last_failure.at} /> ago, {starts.last_failure.class}: {starts.last_failure.message}
            </dd>
          </div>
        )}
      </dl>
    </li>
  )
}

const seconds = (value: number): string => (value < 10 ? `${value.toFixed(value < 1 ? 2 : 1)} s` : duration(value))

/** Starts it once, which says also whether its login counts. No model is called. */
const Check = ({ name }: { readonly name: string }) => {
  const [isBusy, setBusy] = useState(false)
  const [checked, setChecked] = useState<Checked | undefined>()
  const run = async () => {
    setBusy(true)
    setChecked(undefined)
    try {
      setChecked(await api.check(name))
    } catch (cause) {
      sayProblem(cause)
    }
    setBusy(false)
  }
  return (
    <span class="agent-check">
      {checked === undefined ? null : (
        <span role="status" class={checked.problem === null ? "good" : "bad"}>
          {checked.problem ?? `works, logged in as far as it tells; ready in ${seconds(checked.seconds ?? 0)}`}
        </span>
      )}
      <button
        type="button"
        class="button"
        disabled={isBusy}
        title="Starts it once and ends it; no model is called"
        onClick={() => void run()}
      >
        {isBusy ? "Checking…" : "Check"}
      </button>
    </span>
  )
}
