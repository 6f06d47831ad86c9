/** The session machine as `troupe top` draws it, in text. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../machines/session/machine.ts"
import { textOf } from "../../src/cli/top/cells.ts"
import { arrowsFrom, flatChart, treeChart } from "../../src/cli/top/chart.ts"

describe("the machine as text", () => {
  const leaves = Object.values(sessionMachine.root.states).flatMap(({ states }) => Object.values(states))

  it("marks each state that a session can rest in, in both forms", () => {
    assert.isAbove(leaves.length, 10)
    for (const leaf of leaves) {
      for (const chart of [flatChart, treeChart]) {
        const lit = chart(leaf.path.join("."))
          .map(textOf)
          .join("\n")
          .match(/\[\w+\]/g)
        assert.deepStrictEqual(lit, [`[${leaf.key}]`])
      }
    }
    assert.strictEqual(flatChart("closed").map(textOf).at(-1)?.trim(), "[closed]")
  })

  it("lists the arrows out of a state with guards and delays, timers first", () => {
    const arrows = arrowsFrom("retiring.killing", (delay) => (delay === "killAgain" ? "0:04" : null)).map(textOf)
    assert.strictEqual(arrows[0], "after killAgain 0:04 ↺")
    assert.include(arrows, "process.gone [isClosing] → closed")
    const gone = arrows.filter((arrow) => arrow.startsWith("process.gone"))
    assert.strictEqual(gone.at(-1), "process.gone → idle.asleep", "what is left where no guard holds")
    assert.include(arrows, "close.requested ↺", "what its parent draws is there too")
  })
})
