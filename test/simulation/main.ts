/**
 * `npm run simulate -- --seed N --steps M`: one run; with `--seeds K`, the runs of K seeds from N on; with `--nodes 2`,
 * two Troupes on one ledger; with `--every 3`, only each third seed. A seed that fails is printed with the shortest history that was found for it.
 *
 * `--about WHAT`: one that is written (`histories.ts`).
 *
 * `--plant NAME` plants a bug first (`plants.ts`); `--planted` looks for each of them, in a process of its own.
 */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import { plant, plants, problemOf } from "./plants.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    steps: { type: "string", default: "200" },
    nodes: { type: "string", default: "1" },
    every: { type: "string", default: "1" },
    history: { type: "boolean", default: false },
    about: { type: "string" },
    plant: { type: "string" },
    planted: { type: "boolean", default: false }
  }
})
const [first = 0, seeds = 0, steps = 0, nodes = 1, every = 1] = [
  values.seed,
  values.seeds,
  values.steps,
  values.nodes,
  values.every
].map(Number)
if (![first, seeds, steps, nodes, every].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  console.error("--seed, --seeds, --steps, --nodes and --every take whole numbers.")
  process.exit(2)
}

const simulateOne = async (about: string) => {
  const [{ histories }, { simulate }] = await Promise.all([import("./histories.ts"), import("./simulate.ts")])
  const wanted = histories.find(({ what }) => what === about)
  if (wanted === undefined) {
    console.error(
      `There is no history "${about}". Those that there are:\n${histories.map(({ what }) => what).join("\n")}`
    )
    return process.exit(2)
  }
  const { history, violation } = simulate(wanted.seed, wanted.plan.length, wanted.plan, wanted.nodes)
  if (values.history) console.log(history.join("\n"))
  console.log(violation === null ? "nothing violated" : `seed ${wanted.seed}: ${violation.message}`)
  return process.exit(violation === null ? 0 : 1)
}

const simulateAll = async () => {
  const [{ planOf }, { shrink }, { simulate }] = await Promise.all([
    import("./plan.ts"),
    import("./shrink.ts"),
    import("./simulate.ts")
  ])
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
  let turns = 0
  let starts = 0
  for (let nth = 0; nth < seeds; nth++) {
    const seed = first + nth * every
    const outcome = simulate(seed, steps, undefined, nodes)
    turns += outcome.turns
    starts += outcome.starts
    if (values.history) console.log(outcome.history.join("\n"))
    if (outcome.violation === null) continue
    console.log(`seed ${seed}, after ${seconds()} s: ${outcome.violation.message}`)
    if (values.plant !== undefined) return process.exit(1)
    const plan = shrink(seed, planOf(seed, steps, nodes), outcome.violation.invariant, nodes)
    const least = simulate(seed, steps, plan, nodes)
    console.log(`The shortest history that was found has ${plan.length} steps:`)
    console.log(plan.map((step) => `  ${JSON.stringify(step)},`).join("\n"))
    console.log([...least.history, least.violation?.stack].join("\n"))
    return process.exit(1)
  }
  console.log(`${seeds} seeds × ${steps} steps: nothing violated (${turns} turns, ${starts} starts, ${seconds()} s)`)
}

/** Every plant must be found within these seeds. */
const findPlanted = () => {
  let missed = 0
  for (const { name, nodes: needed = 1, shownBy } of plants) {
    const drawn = ["--seed", "1", "--seeds", "2000", "--steps", String(steps), "--nodes", String(needed)]
    const args = [...(shownBy === undefined ? drawn : ["--about", shownBy]), "--plant", name]
    const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, ...args], { encoding: "utf8" })
    if (status !== 1) missed++
    console.log(`${status === 1 ? "found " : "MISSED"}  ${name}: ${stdout.split("\n")[0]}`)
  }
  process.exit(missed === 0 ? 0 : 1)
}

if (values.planted) findPlanted()
else {
  if (values.plant !== undefined) {
    const wanted = plants.find(({ name }) => name === values.plant)
    const problem = wanted === undefined ? "there is no such plant" : problemOf(wanted)
    if (wanted === undefined || problem !== null) {
      console.error(`${values.plant}: ${problem}`)
      process.exit(2)
    }
    plant(wanted)
  }
  await (values.about === undefined ? simulateAll() : simulateOne(values.about))
}
