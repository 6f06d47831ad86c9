/** Asks who looks, then shows the view that the address names. */
import type { ComponentType } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { ApprovalsView } from "../approvals/ApprovalsView.tsx"
import { pendingCount } from "../approvals/inbox.ts"
import { problemFrom } from "../api.ts"
import type { Problem } from "../api.ts"
import { SessionsView } from "../sessions/SessionsView.tsx"
import { api, me, setMe } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { Toasts } from "../ui/Toasts.tsx"
import { focusNextView, focusView } from "./focus.ts"
import { Banners, Header } from "./Header.tsx"
import { Keys } from "./Keys.tsx"
import { loginCode, route } from "./location.ts"
import { Login } from "./Login.tsx"
import "./house.ts"

export const App = () => (
  <>
    <Entrance />
    <Toasts />
    <Keys />
  </>
)

const Entrance = () => {
  const [problem, setProblem] = useState<Problem | undefined>()
  const ask = async () => {
    setProblem(undefined)
    try {
      setMe(await api.me())
    } catch (cause) {
      const problem = problemFrom(cause)
      if (problem.status === 401) me.value = null
      else setProblem(problem)
    }
  }
  const code = loginCode.value
  useEffect(() => {
    if (code === undefined && me.value === undefined) void ask()
  }, [code])

  if (code !== undefined || me.value === null) return <Login key={code} code={code} />
  if (problem !== undefined)
    return (
      <main class="login">
        <ProblemBox problem={problem} onRetry={() => void ask()} />
      </main>
    )
  if (me.value === undefined) return <main class="login" aria-busy="true" />
  return (
    <div class="app">
      <a class="skip" href="#view" onClick={toView}>
        Skip to the content
      </a>
      <Header />
      <Banners />
      <View />
    </div>
  )
}

/** The part of the address behind `#` is the route: it can't be where to scroll to as well. */
const toView = (event: Event) => {
  event.preventDefault()
  focusView()
}

const View = () => {
  const current = route.value
  const waiting = pendingCount.value
  useEffect(() => {
    document.title = `${waiting === 0 ? "" : `(${waiting}) `}${titles[current.view]}`
  }, [current.view, waiting])
  const key = current.view === "session" ? current.id : current.view
  const shown = useRef(key)
  useEffect(() => {
    if (shown.current !== key) focusNextView()
    shown.current = key
  }, [key])
  switch (current.view) {
    case "sessions":
      return <SessionsView filter={current.filter} />
    case "session":
      return <Later load={loadSession} key={current.id} id={current.id} />
    case "approvals":
      return <ApprovalsView />
    case "machine":
      return <Later load={loadMachine} />
    case "unknown":
      return (
        <main id="view" class="view empty" tabIndex={-1}>
          <h2>There is nothing at this address</h2>
          <a href="#/">All sessions</a>
        </main>
      )
  }
}

const titles = {
  sessions: "Sessions · Troupe",
  session: "Session · Troupe",
  approvals: "Approvals · Troupe",
  machine: "Machine · Troupe",
  unknown: "Troupe"
}

const loadSession = () => import("../session/SessionView.tsx")
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
