/** The dashboard's page. */
import { render } from "preact"
import { App } from "./app/App.tsx"
import { codeOf } from "./app/router.ts"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/sessions.css"
import "./styles/approvals.css"

const place = document.getElementById("app")
const code = codeOf(location.hash)
// Out of the address, and so out of the history, before anything else happens.
if (code !== undefined) history.replaceState(null, "", location.pathname)
if (place !== null) render(<App code={code} />, place)
