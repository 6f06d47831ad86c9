/** The offline page: one exported session, shown from the data that the file itself carries. */
import "../styles/tokens.css"
import "../styles/base.css"

const data = document.getElementById("troupe-export")?.textContent
document.getElementById("app")?.append(data === undefined ? "There is no session in this file." : "")
