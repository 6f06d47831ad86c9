/**
 * `virtual:chart-layout` for the dashboard's page: where the session machine's boxes and lines stand, all of them and
 * those around each state, reckoned by elkjs when the page is built. The page is bundled with that very machine, so no browser has to reckon it again.
 */
import { createRequire } from "node:module"
import type { ELK } from "elkjs/lib/elk-api.js"
import type { Plugin } from "vite"
import { sessionMachine } from "../machines/session/machine.ts"
import { readChart } from "../src/inspect/chart/read.ts"
import { layOutAll } from "./layOut.ts"

const name = "virtual:chart-layout"

const reckon = () => {
  // CommonJS, and typed as if it were not.
  const Elk = createRequire(import.meta.url)("elkjs") as new () => ELK
  return layOutAll(new Elk(), readChart(sessionMachine))
}

let known: ReturnType<typeof reckon> | undefined
/** Once for both of the page's builds: it takes a second. */
export const reckoned = () => (known ??= reckon())

export const chartLayout = (): Plugin => ({
  name: "troupe-chart-layout",
  resolveId: { filter: { id: new RegExp(`^${name}$`) }, handler: (id) => `\0${id}` },
  load: {
    filter: { id: new RegExp(`^\0${name}$`) },
    handler: async () => `export default ${JSON.stringify(await reckoned())}`
  }
})
