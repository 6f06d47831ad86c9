/**
 * Where the boxes and lines of the machines' charts stand, reckoned by elkjs: for the dashboard's page, as
 * `virtual:chart-layout` with all of the session machine and what is around each state, when the page is built; and for
 * `src/inspect/chart/layouts.json`, with which the program prints a chart as the page draws it. Nothing that runs reckons it.
 */
import { createRequire } from "node:module"
import type { ELK, LayoutOptions } from "elkjs/lib/elk-api.js"
import type { Plugin } from "vite"
import { reviewMachine } from "../machines/review/machine.ts"
import { sessionMachine } from "../machines/session/machine.ts"
import type { Drawn } from "../src/inspect/chart/drawn.ts"
import { readChart } from "../src/inspect/chart/read.ts"
import type { Chart } from "../src/inspect/chart/read.ts"
import { layOut, layOutAll } from "./layOut.ts"

const name = "virtual:chart-layout"

/** CommonJS, and typed as if it were not. */
const newElk = () => new (createRequire(import.meta.url)("elkjs") as new () => ELK)()

const reckon = () => layOutAll(newElk(), readChart(sessionMachine))

let known: ReturnType<typeof reckon> | undefined
/** Once for both of the page's builds: it takes a second. */
export const reckoned = () => (known ??= reckon())

/** All of a chart, as the page places it, or with other distances. */
export const placed = (chart: Chart, how?: LayoutOptions): Promise<Drawn> => layOut(newElk(), chart, how, how)

/** The text of `src/inspect/chart/layouts.json`: a box or a line in each of its lines, so that a change can be read. */
export const layoutsText = async (): Promise<string> => {
  const layouts = { session: await placed(readChart(sessionMachine)), review: await placed(readChart(reviewMachine)) }
  const list = (each: ReadonlyArray<unknown>) =>
    `[\n${each.map((one) => `      ${JSON.stringify(one)}`).join(",\n")}\n    ]`
  const machines = Object.entries(layouts).map(
    ([machine, { boxes, height, lines, width }]) =>
      `  "${machine}": {\n    "width": ${width},\n    "height": ${height},\n    "boxes": ${list(boxes)},\n    "lines": ${list(lines)}\n  }`
  )
  return `{\n${machines.join(",\n")}\n}\n`
}

export const chartLayout = (): Plugin => ({
  name: "troupe-chart-layout",
  resolveId: { filter: { id: new RegExp(`^${name}$`) }, handler: (id) => `\0${id}` },
  load: {
    filter: { id: new RegExp(`^\0${name}$`) },
    handler: async () => `export default ${JSON.stringify(await reckoned())}`
  }
})
