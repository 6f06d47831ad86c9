/**
 * `npm run bench:cluster`: what several nodes on one PostgreSQL cost and promise, as one table.
 *
 *     npm run bench:cluster                      all of it, about ten minutes
 *     npm run bench:cluster -- --only failover   failover, rate, commits or memory alone
 *     npm run bench:cluster -- --times 5         fewer deaths of nodes, and fewer rounds
 *
 * Everything runs on this machine: the nodes, the server, the agents and those who ask. Ratios of one run can be compared.
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { buildPlanted } from "../../test/cluster/torture/plantedProgram.ts"
import { printed } from "../table.ts"
import type { Row } from "../table.ts"
import * as Commits from "./commits.ts"
import * as Failover from "./failover.ts"
import * as Memory from "./memory.ts"
import * as Rate from "./rate.ts"

const { values } = parseArgs({
  options: { only: { type: "string" }, times: { type: "string", default: "20" }, program: { type: "string" } }
})
const times = Number(values.times)
const sections: Readonly<Record<string, (program: string) => Promise<ReadonlyArray<Row>>>> = {
  failover: (program) => Failover.measure(program, times),
  rate: (program) => Rate.measure(program, Math.ceil(times / 2)),
  commits: () => Commits.measure(Math.ceil(times / 2), 50),
  memory: Memory.measure
}
const wanted = Object.entries(sections).filter(([name]) => values.only === undefined || name === values.only)
if (wanted.length === 0 || !Number.isSafeInteger(times) || times < 1) {
  console.error(`--only takes ${Object.keys(sections).join(", ")}; --times a whole number.`)
  process.exit(2)
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))

const loads: Array<number> = []
const built = values.program === undefined ? await buildPlanted() : null
const rows: Array<Row> = []
try {
  for (const [name, measure] of wanted) {
    process.stderr.write(`${name}…\n`)
    loads.push(loadavg()[0] ?? 0)
    rows.push(...(await measure(values.program ?? built?.main ?? "")))
  }
} finally {
  built?.remove()
}
loads.push(loadavg()[0] ?? 0)
console.log(printed(rows))
const [cpu] = cpus()
console.log(
  `\nNode ${process.versions.node}, ${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}, load ` +
    `${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}.`
)
