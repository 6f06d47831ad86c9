/** Runs once for all windows of a browser, as long as one of them is open. */
import { createApi } from "../../client/api.ts"
import { followTopics } from "../../client/topics.ts"
import { portOf } from "./messages.ts"
import { windowsOf } from "./windows.ts"

const forgetEveryMillis = 60_000

// Beside the page's other files, in `assets/`.
const api = createApi(new URL("../api/", location.href).href)
const windows = windowsOf((onHeard) => followTopics({ urlOf: api.liveUrl, onHeard }))

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports
  if (port !== undefined) windows.connect(portOf(port))
})
setInterval(() => windows.forget(Date.now()), forgetEveryMillis)
