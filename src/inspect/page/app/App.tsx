/** Asks who looks, then shows the view that the address names. */
import { useEffect, useState } from "preact/hooks"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { api, me, setMe } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { Toasts } from "../ui/Toasts.tsx"
import { focusView } from "./focus.ts"
import { Banners, Header } from "./Header.tsx"
import { Keys } from "./Keys.tsx"
import { loginCode } from "./location.ts"
import { Login } from "./Login.tsx"
import { View } from "./View.tsx"
import "./serverStatus.ts"

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
