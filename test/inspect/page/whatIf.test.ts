/** What would happen if: the machine's own answer to events that are thought up, and nothing besides. */
import { assert, describe, it } from "@effect/vitest"
import { begin, decide } from "../../../machines/decide.ts"
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import { pathOf } from "../../../src/inspect/page/session/model/value.ts"
import { eventOf, eventsAt, fieldsOf, whatIf } from "../../../src/inspect/page/session/model/whatIf.ts"
import type { Values } from "../../../src/inspect/page/session/model/whatIf.ts"
import { eventful, start, stored } from "./harness.ts"

const { snapshots } = stored(eventful)
const at = start * 1_000

const assume = (snapshot: SessionSnapshot, type: string, values: Values = {}) =>
  whatIf(sessionMachine, snapshot, eventOf(type, { snapshot, nextTurn: snapshot.context.turn + 1, at, values }))

const inState = (path: string) =>
  snapshots.find(({ value }) => pathOf(value) === path) ?? assert.fail(`the script does not reach ${path}`)

describe("an event that is thought up", () => {
  it("has what the machine decides on, in each state with each event and each choice, and changes no snapshot", () => {
    const before = JSON.stringify(snapshots)
    let taken = 0
    for (const snapshot of [begin(sessionMachine, undefined).next, ...snapshots]) {
      const { known, others } = eventsAt(sessionMachine, pathOf(snapshot.value))
      for (const type of [...known, ...others]) {
        const choices = fieldsOf(type).flatMap(({ name, options }) => options.map((option) => ({ [name]: option })))
        for (const values of [{}, ...choices]) {
          const outcome = assume(snapshot, type, values)
          const { handled, next } = decide(sessionMachine, snapshot, outcome.event)
          assert.strictEqual(outcome.to, pathOf(next.value))
          assert.strictEqual(outcome.refused === null, handled, `${type} in ${pathOf(snapshot.value)}`)
          // Of one that the state does not know, the machine never makes anything.
          if (others.includes(type)) assert.isNotNull(outcome.refused)
          if (handled) taken += 1
        }
      }
    }
    assert.isAbove(taken, 100)
    assert.strictEqual(JSON.stringify(snapshots), before)
  })

  it("tells the next state, the orders, the timers and how turns would end", () => {
    const running = inState("turning.running")
    const died = assume(running, "process.exited")
    assert.deepInclude(died, { from: "turning.running", to: "retiring.killing", refused: null })
    assert.deepStrictEqual(
      died.commands.map(({ type }) => type),
      ["settleTurn", "endProcess"]
    )
    assert.deepStrictEqual(died.ends, ["Turn 1 ends as failed, error (crash: It is only thought up.)"])
    assert.deepStrictEqual(died.arm, [{ name: "after killAgain", seconds: 15 }])
    assert.includeMembers([...died.cancel], ["after turnWithin"])
    assert.includeMembers(
      died.changed.map(({ path }) => path),
      ["crashed"]
    )
    // It may also be answered in full, without an end.
    const timer = eventsAt(sessionMachine, "turning.running").known.find((type) => type.includes("turnWithin")) ?? ""
    assert.match(assume(running, timer).ends[0] ?? "", /timed out/)
    assert.match(assume(running, timer, { answered: "yes" }).ends[0] ?? "", /completed/)
  })

  it("says why it would be refused: no arrow, or a guard that does not hold", () => {
    assert.strictEqual(
      assume(inState("idle.asleep"), "approval.asked").refused,
      "The machine draws no arrow for approval.asked in idle.asleep. Its sender is told so, and nothing changes."
    )
    assert.match(
      assume(inState("turning.running"), "turn.submitted", { queue: "no" }).refused ?? "",
      /^In turning\.running it counts only where the turn may wait in line, and the line has room, which is not so/
    )
  })

  it("goes on from what would be", () => {
    const asleep = inState("idle.asleep")
    const path = ["turn.submitted", "slot.granted", "process.ready", "turn.ended"].reduce(
      (snapshot, type) => assume(snapshot, type).next,
      asleep
    )
    assert.strictEqual(pathOf(path.value), "idle.awake")
  })
})
