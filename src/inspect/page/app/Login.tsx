/** Comes in with a token, or with the code of the link that the server showed in its terminal. */
import { useEffect, useState } from "preact/hooks"
import type { Login as Body } from "../../contract.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { api, say, setMe } from "../store.ts"
import { Brand } from "../ui/Brand.tsx"
import { ProblemBox } from "../ui/Problem.tsx"
import { loginCode } from "./location.ts"

export const Login = ({ code }: { readonly code: string | undefined }) => {
  const [token, setToken] = useState("")
  const [isBusy, setBusy] = useState(code !== undefined)
  const [problem, setProblem] = useState<Problem | undefined>()

  const enter = async (body: Body) => {
    setBusy(true)
    setProblem(undefined)
    try {
      setMe(await api.login(body))
      loginCode.value = undefined
    } catch (cause) {
      const problem = problemFrom(cause)
      // Who opens a used link again may be in already.
      const loggedIn = "code" in body ? await api.me().catch(() => undefined) : undefined
      if (loggedIn !== undefined) {
        setMe(loggedIn)
        loginCode.value = undefined
        return say("You are logged in already", "good", problem.detail)
      }
      setProblem(problem)
      setBusy(false)
    }
  }
  useEffect(() => {
    if (code !== undefined) void enter({ code })
  }, [])

  return (
    <main class="login">
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() !== "") void enter({ token: token.trim() })
        }}
      >
        <h1>
          <Brand /> Troupe
        </h1>
        <label>
          Token
          <input
            class="field mono"
            type="password"
            autocomplete="off"
            spellcheck={false}
            autofocus
            value={token}
            disabled={isBusy}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary" disabled={isBusy || token.trim() === ""}>
          {isBusy ? "Logging in…" : "Log in"}
        </button>
        {problem === undefined ? null : <ProblemBox problem={problem} />}
        <p class="note">
          The token of an app shows its sessions, the admin's shows all. <code>troupe app create NAME</code> makes an
          app; the admin token is in <code>admin-token</code> in the data directory. The login is kept in a cookie that
          no script can read, for 12 hours.
        </p>
      </form>
    </main>
  )
}
