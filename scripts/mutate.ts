/**
 * `npm run mutate -- --area session --seed 1 --mutants 40`: changes the source in so many small ways, one at a time, and
 * tells which of them no test finds.
 *
 * `--area` is machines, session, supervision, ledger, or several with commas (all); `--file` only this file. The seed
 * chooses the mutants. Each is tested up to the first test that fails: the tests near its file, those of `npm test` whose
 * imports lead to it, a few seeds of the simulation. One that no test near it finds is given to the compiler in between: a
 * change that it refuses can't get in by mistake.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import { diceOf } from "../test/simulation/random.ts"
import { areas, filesOf, testsNear } from "./mutate/areas.ts"
import { MutatedCopy } from "./mutate/MutatedCopy.ts"
import { applied, mutantsOf } from "./mutate/mutants.ts"
import type { Mutant } from "./mutate/mutants.ts"
import { Results, written } from "./mutate/results.ts"

const { values } = parseArgs({
  options: {
    area: { type: "string", default: Object.keys(areas).join(",") },
    file: { type: "string" },
    seed: { type: "string", default: "1" },
    mutants: { type: "string", default: "40" }
  }
})
const [seed, count] = [Number(values.seed), Number(values.mutants)]
const chosenAreas = values.area.split(",")
if (![seed, count].every(Number.isSafeInteger) || !chosenAreas.every((area) => area in areas)) {
  console.error(`--seed and --mutants take whole numbers, --area takes ${Object.keys(areas).join(", ")}.`)
  process.exit(2)
}

const copy = new MutatedCopy(process.cwd())
process.on("exit", () => copy.remove())
const results = new Results()
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const) {
  process.on(signal, () => {
    console.log(results.summary())
    process.exit(code)
  })
}

/** So many of an area's mutants, in the order of a shuffle by the seed. */
const choose = (folder: string): ReadonlyArray<Mutant> => {
  const dice = diceOf(seed)
  const files = filesOf(copy.tree, folder).filter((file) => values.file === undefined || file === values.file)
  const left = files.flatMap((file) => mutantsOf(file, copy.read(file)))
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(dice.below(left.length), 1)).flat()
}

/** The tests that nobody has to be near to. They are what a whole run costs, so that is what bounds the others as well. */
const simulation = ["run", "test/simulation", "-t", "nothing is violated"]
const began = performance.now()
for (const args of [["run", "--project", "fast"], simulation]) {
  const verdict = await copy.test(args, 600_000)
  if (verdict._tag === "Passed") continue
  console.error(`Without a mutant, this fails already: ${verdict.failed}`)
  process.exit(1)
}
if (!(await copy.compiles())) {
  console.error("Without a mutant, it does not compile already.")
  process.exit(1)
}
const withinMillis = 2 * (performance.now() - began) + 30_000

const judge = async ({ file }: Mutant) => {
  const stages = [
    { stage: "near", args: ["run", ...testsNear(copy.tree, file)] },
    { stage: "compiler" },
    { stage: "npm test", args: ["related", file, "--run", "--project", "fast"] },
    { stage: "simulation", args: simulation }
  ]
  for (const { args, stage } of stages) {
    if (args === undefined) {
      if (!(await copy.compiles())) return { _tag: "Refused" } as const
      continue
    }
    const verdict = await copy.test(args, withinMillis)
    if (verdict._tag !== "Passed") return { ...verdict, stage }
  }
  return { _tag: "Survived" } as const
}

// By turns, so that a run which is ended early has looked at every area.
const chosen = chosenAreas.map((area) => choose(areas[area] ?? area).map((mutant) => ({ area, mutant })))
for (const nth of Array.from({ length: count }).keys()) {
  for (const { area, mutant } of chosen.flatMap((mutants) => mutants[nth] ?? [])) {
    const source = copy.read(mutant.file)
    const began = performance.now()
    copy.write(mutant.file, applied(source, mutant))
    const judged = await judge(mutant)
    copy.write(mutant.file, source)
    const result = { area, mutant, source, tookMillis: performance.now() - began, ...judged }
    results.add(result)
    console.log(written(result))
  }
}
console.log(results.summary())
