/** The dashboard's page. */
import { render } from "preact"
import { App } from "./app/App.tsx"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/sessions.css"
import "./styles/approvals.css"

const place = document.getElementById("app")
if (place !== null) render(<App />, place)
