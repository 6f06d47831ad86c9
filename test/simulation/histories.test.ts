/** The written histories hold, and show the bugs that are planted for them. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { histories } from "./histories.ts"
import { plants } from "./plants.ts"
import { simulate } from "./simulate.ts"

const outcomeOf = (about: string) => {
  const { nodes, plan, seed } = histories.find(({ what }) => what === about)!
  return simulate(seed, plan.length, plan, nodes)
}

describe("nodes that can't reach the database", () => {
  for (const { what } of histories) {
    it(`nothing is violated where ${what}`, () => {
      const { history, violation } = outcomeOf(what)
      assert.isNull(violation, `${violation?.message}\n${history.join("\n")}`)
    })
  }

  it("keep their agents where it is away for all of them, and not where it is for one", () => {
    const ends = (about: string) => {
      const { history } = outcomeOf(about)
      const faults = history.slice(
        0,
        history.findIndex((line) => line.endsWith("all faults stop"))
      )
      return faults.filter((line) => line.includes("(SIGKILL)"))
    }
    assert.deepStrictEqual(ends("no node reaches the database for longer than a lease"), [])
    assert.isNotEmpty(ends("one node can't reach the database, and the other one does"))
  })

  for (const { name, shownBy } of plants) {
    if (shownBy === undefined) continue
    it(`are seen to have an agent too long, where it is planted that ${name}`, () => {
      const args = [join(import.meta.dirname, "main.ts"), "--about", shownBy, "--plant", name]
      const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" })
      assert.strictEqual(status, 1, stdout)
      assert.match(stdout, /a node that is declared dead has no agent/)
    })
  }
})
