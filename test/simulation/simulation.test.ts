/** The simulation in short: histories that failed once, a few seeds, and that it finds bugs that are planted. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { plants, problemOf } from "./plants.ts"
import { regressions } from "./regressions.ts"
import { simulate } from "./simulate.ts"

const holds = (seed: number, steps: number, plan?: Parameters<typeof simulate>[2], nodes?: number) => {
  const { history, violation } = simulate(seed, steps, plan, nodes)
  assert.isNull(violation, `${violation?.message}\n${history.slice(-60).join("\n")}`)
}

describe("simulation", () => {
  for (const { nodes, plan, seed, what } of regressions) {
    it(`nothing is violated when ${what}`, () => holds(seed, plan.length, plan, nodes))
  }
  for (const seed of [1, 2, 3]) it(`nothing is violated in 100 steps of seed ${seed}`, () => holds(seed, 100))

  it("the same seed gives the same history", () => {
    assert.deepStrictEqual(simulate(7, 60).history, simulate(7, 60).history)
  })

  it("each bug that is to be planted has its place in the source", () => {
    assert.isAtLeast(plants.length, 15)
    assert.deepStrictEqual(
      plants.map(problemOf).filter((problem) => problem !== null),
      []
    )
  })

  it("a planted bug is found and named", () => {
    const name = "a prompt is handed over again after a restart"
    const args = [join(import.meta.dirname, "main.ts"), "--seeds", "50", "--plant", name]
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" })
    assert.strictEqual(status, 1, stdout)
    assert.match(stdout, /a prompt reaches an agent at most once/)
  })
})
