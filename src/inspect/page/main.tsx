/** The dashboard's page. */
import { render } from "preact"
import "./styles/tokens.css"
import "./styles/base.css"

const place = document.getElementById("app")
if (place !== null) render(<p>Troupe</p>, place)
