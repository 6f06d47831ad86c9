/**
 * `npm run torture:cluster -- --minutes N [--seed S] [--sessions K] [--only FAULT,…]`: three nodes on one PostgreSQL under
 * the faults of the design's failure matrix, and what must hold then: docs/reliability.md. With `--planted` the same is
 * done to programs with a bug, one after the other, each of which must be found; with `--plant NAME` to one of them.
 */
import { parseArgs } from "node:util"
import { diceOf } from "../../simulation/random.ts"
import { faults } from "./faults.ts"
import type { FaultName } from "./faults.ts"
import { buildPlanted } from "./plantedProgram.ts"
import { clusterPlants } from "./plants.ts"
import type { ClusterPlant } from "./plants.ts"
import { runCluster } from "./run.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    sessions: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
    plant: { type: "string" },
    planted: { type: "boolean", default: false }
  }
})
const [minutes, sessions, seed] = [Number(values.minutes), Number(values.sessions), Number(values.seed)]
const isFault = (name: string): name is FaultName => Object.hasOwn(faults, name)
const all = Object.keys(faults).filter(isFault)
const wanted = values.only?.split(",") ?? all
const unknown = wanted.filter((name) => !isFault(name))
if (unknown.length > 0 || ![minutes, sessions, seed].every((number) => Number.isFinite(number) && number > 0)) {
  console.error(`--minutes, --sessions and --seed take numbers, --only some of ${all.join(",")}`)
  process.exit(2)
}

/** All of them, then all of them in another order, and so on. */
function* shuffled() {
  const dice = diceOf(seed)
  while (true) {
    const left = wanted.filter(isFault)
    while (left.length > 0) {
      const [next] = left.splice(dice.below(left.length), 1)
      if (next !== undefined) yield next
    }
  }
}

function* named(names: Iterable<FaultName>) {
  for (const name of names) {
    console.log(`${new Date().toISOString().slice(11, 19)} ${name}`)
    yield name
  }
}

// What the run has started ends with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))

const torture = async () => {
  const { main, remove } = await buildPlanted()
  console.log(`seed ${seed}, ${minutes} min, ${sessions} sessions`)
  const outcome = await runCluster({
    seed,
    sessions,
    faults: named(shuffled()),
    millis: minutes * 60_000,
    program: main
  }).finally(remove)
  const { agents, claims, counts, events, problems, prompts, restMillis, samples, starts, turns } = outcome
  console.log(
    `${turns} turns, ${prompts} prompts handed over, ${events} events, ${claims} changes of owner, ${agents} agents in ` +
      `${samples} samples, ${starts} starts of nodes; at rest after ${(restMillis / 1_000).toFixed(1)} s; ${JSON.stringify(counts)}`
  )
  if (problems.length === 0) return console.log("nothing is lost, repeated or left")
  console.log(outcome.logs())
  console.log(`${problems.length} problems`)
  console.log(problems.slice(0, 60).join("\n"))
  process.exitCode = 1
}

/** Whether the checker sees the bug, in one of a few runs. */
const isFound = async ({ faults: order, plant, seen }: ClusterPlant) => {
  const { main, remove } = await buildPlanted(plant)
  try {
    for (let nth = 0; nth < 3; nth++) {
      const run = { seed: seed + nth, sessions: 20, millis: 300_000, program: main }
      const { problems } = await runCluster({ ...run, faults: named(order) })
      const saying = problems.find((problem) => seen.test(problem))
      if (saying !== undefined) return saying
      console.log(`not in run ${nth + 1}: ${problems.slice(0, 5).join("; ") || "nothing is lost, repeated or left"}`)
    }
    return null
  } finally {
    remove()
  }
}

const findPlanted = async (chosen: ReadonlyArray<ClusterPlant>) => {
  for (const one of chosen) {
    const named = await isFound(one)
    console.log(`${named === null ? "MISSED" : "found "}  ${one.plant.name}: ${named}`)
    if (named === null) process.exitCode = 1
  }
}

const chosen = clusterPlants.filter(({ plant: { name } }) => values.planted || name === values.plant)
if (values.plant !== undefined && chosen.length === 0) {
  console.error(`--plant takes one of: ${clusterPlants.map(({ plant: { name } }) => name).join("; ")}`)
  process.exit(2)
}
await (chosen.length > 0 ? findPlanted(chosen) : torture())
