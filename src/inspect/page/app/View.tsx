/** The view that the address names. */
import type { ComponentChildren, ComponentType } from "preact"
import { useEffect, useErrorBoundary, useRef, useState } from "preact/hooks"
import { ApprovalsView } from "../approvals/ApprovalsView.tsx"
import { pendingCount } from "../approvals/inbox.ts"
import { AttentionView } from "../attention/AttentionView.tsx"
import { problemFrom } from "../../client/api.ts"
import { SessionsView } from "../sessions/SessionsView.tsx"
import { ProblemBox } from "../ui/Problem.tsx"
import { focusNextView } from "./focus.ts"
import { route } from "./location.ts"
import type { Route } from "./router.ts"

export const View = () => {
  const current = route.value
  const waiting = pendingCount.value
  useEffect(() => {
    document.title = `${waiting === 0 ? "" : `(${waiting}) `}${titles[current.view]}`
  }, [current.view, waiting])
  const key = current.view === "session" ? current.id : current.view
  const shownKey = useRef(key)
  useEffect(() => {
    if (shownKey.current !== key) focusNextView()
    shownKey.current = key
  }, [key])
  return (
    <Guarded key={key}>
      <Routed route={current} />
    </Guarded>
  )
}

const Routed = ({ route: current }: { readonly route: Route }) => {
  switch (current.view) {
    case "attention":
      return <AttentionView />
    case "sessions":
      return <SessionsView filter={current.filter} />
    case "session":
      return <Later load={loadSession} key={current.id} id={current.id} />
    case "approvals":
      return <ApprovalsView />
    case "fleet":
      return <Later load={loadFleet} />
    case "machine":
      return <Later load={loadMachine} />
    case "nodes":
      return <Later load={loadNodes} />
    case "agents":
      return <Later load={loadAgents} />
    case "new":
      return <Later load={loadStart} />
    case "unknown":
      return (
        <main id="view" class="view empty" tabIndex={-1}>
          <h1>There is nothing at this address</h1>
          <a href="#/sessions">All sessions</a>
        </main>
      )
  }
}

/** A fault in one view is said in its place; the ways to the others stay. */
const Guarded = ({ children }: { readonly children: ComponentChildren }) => {
  const [fault] = useErrorBoundary()
  if (fault === undefined) return <>{children}</>
  return (
    <main id="view" class="view view-fault" tabIndex={-1}>
      <ProblemBox problem={problemFrom(fault)} onRetry={() => location.reload()} />
    </main>
  )
}

const titles = {
  attention: "Needs attention · Troupe",
  sessions: "Sessions · Troupe",
  session: "Session · Troupe",
  approvals: "Approvals · Troupe",
  fleet: "Overview · Troupe",
  machine: "Machine · Troupe",
  nodes: "Nodes · Troupe",
  agents: "Agents · Troupe",
  new: "New session · Troupe",
  unknown: "Troupe"
}

const loadSession = () => import("../session/SessionView.tsx")
const loadStart = () => import("../start/StartView.tsx")
const loadFleet = () => import("../fleet/FleetView.tsx")
const loadNodes = () => import("../nodes/NodesView.tsx")
const loadAgents = () => import("../agents/AgentsView.tsx")
const loadMachine = () => import("../machine/MachineView.tsx")

/** A view that most visits do not need at once: its code comes when it is opened. */
const Later = <P extends object>({ load, ...props }: P & { load: () => Promise<{ default: ComponentType<P> }> }) => {
  const [Loaded, setLoaded] = useState<ComponentType<P> | undefined>()
  const [hasFailed, setFailed] = useState(false)
  const fetchIt = () => {
    setFailed(false)
    load().then(
      ({ default: component }) => setLoaded(() => component),
      () => setFailed(true)
    )
  }
  useEffect(fetchIt, [])
  if (Loaded !== undefined) return <Loaded {...(props as unknown as P)} />
  return (
    <main id="view" class="view" tabIndex={-1} aria-busy={!hasFailed}>
      {hasFailed ? (
        <div class="empty">
          <h2>This view could not be loaded</h2>
          <p>Troupe may have been restarted with another version.</p>
          <button type="button" class="button" onClick={() => location.reload()}>
            Load the page again
          </button>
        </div>
      ) : null}
    </main>
  )
}
