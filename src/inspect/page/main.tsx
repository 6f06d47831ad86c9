/** The dashboard's page. */
import { render } from "preact"
import { App } from "./app/App.tsx"
import { sayProblem } from "./store.ts"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/sessions.css"
import "./styles/approvals.css"
import "./styles/attention.css"

// A rejected promise that nobody awaits is shown, not swallowed.
addEventListener("unhandledrejection", ({ reason }) => sayProblem(reason))

const place = document.getElementById("app")
if (place !== null) render(<App />, place)
