/**
 * `npm run fuzz -- --runs 1000000 --seed 7`: gives Troupe so many random inputs (20,000), of all kinds in their shares
 * (`test/fuzz`). The same seed and number give the same inputs again. Other arguments go to the runner: `lines` runs the
 * files whose name has it.
 */
import { spawnSync } from "node:child_process"
import { randomInt } from "node:crypto"
import process from "node:process"
import { parseArgs } from "node:util"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string" }, seed: { type: "string" } }
})
const env = {
  ...process.env,
  FUZZ_RUNS: values.runs ?? process.env["FUZZ_RUNS"] ?? "20000",
  FUZZ_SEED: values.seed ?? process.env["FUZZ_SEED"] ?? String(randomInt(2 ** 31))
}
console.log(`FUZZ_SEED=${env.FUZZ_SEED} FUZZ_RUNS=${env.FUZZ_RUNS} npm run fuzz`)
const { status } = spawnSync("vitest", ["run", "--config", "vitest.fuzz.config.ts", ...positionals], {
  env,
  stdio: "inherit"
})
process.exitCode = status ?? 1
