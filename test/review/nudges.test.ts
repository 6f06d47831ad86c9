/** The two counters that make a review due: examples of each rule, and properties of any run of turns. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { defaultIntervals } from "../../src/domain/Review.ts"
import { count, noNudges, nudge } from "../../src/review/nudges.ts"
import type { NudgeCounters, NudgeRules, SettledTurn } from "../../src/review/nudges.ts"

const both: NudgeRules = { intervals: defaultIntervals, skillToolRegistered: true }
const good: SettledTurn = { status: "completed", interrupted: false, finalText: "Done.", toolIterations: 0 }
const interrupted: SettledTurn = { ...good, status: "interrupted", interrupted: true }

const run = (turns: ReadonlyArray<SettledTurn>, rules: NudgeRules, from: NudgeCounters = noNudges) => {
  let counters = from
  const dues = turns.map((turn) => {
    const nudged = nudge(counters, turn, rules)
    counters = nudged.counters
    return nudged.due
  })
  return { counters, dues }
}

describe("nudges", () => {
  it("the memory counter counts each turn, and nothing is due below both thresholds", () => {
    const { counters, dues } = run(
      Array.from({ length: 9 }, () => ({ ...good, toolIterations: 1 })),
      both
    )
    assert.deepStrictEqual(counters, { userTurns: 9, toolIterations: 9 })
    assert.isTrue(dues.every((due) => due === null))
  })

  it("a memory review is due with the tenth turn and resets its counter alone", () => {
    const { counters, dues } = run(
      Array.from({ length: 10 }, () => good),
      both,
      { userTurns: 0, toolIterations: 4 }
    )
    assert.deepStrictEqual(dues.at(-1), { reviewMemory: true, reviewSkills: false })
    assert.deepStrictEqual(counters, { userTurns: 0, toolIterations: 4 })
  })

  it("a skill review is due as soon as one turn's tool iterations reach the interval", () => {
    const { counters, due } = nudge(noNudges, { ...good, toolIterations: 12 }, both)
    assert.deepStrictEqual(due, { reviewMemory: false, reviewSkills: true })
    assert.deepStrictEqual(counters, { userTurns: 1, toolIterations: 0 })
  })

  it("one review is due for memory and skills where both counters are reached", () => {
    const { counters, due } = nudge({ userTurns: 9, toolIterations: 9 }, { ...good, toolIterations: 1 }, both)
    assert.deepStrictEqual(due, { reviewMemory: true, reviewSkills: true })
    assert.deepStrictEqual(counters, noNudges)
  })

  it("a counter reached by an interrupted, failed or silent turn makes a review due after the next good turn", () => {
    const bad: ReadonlyArray<SettledTurn> = [
      interrupted,
      { ...good, status: "timed_out", interrupted: true },
      { ...good, status: "failed" },
      { ...good, finalText: " \n" }
    ]
    for (const turn of bad) {
      const waiting = nudge({ userTurns: 9, toolIterations: 0 }, turn, both)
      assert.deepStrictEqual(waiting, { counters: { userTurns: 10, toolIterations: 0 }, due: null })
      const after = nudge(waiting.counters, good, both)
      assert.deepStrictEqual(after, {
        counters: noNudges,
        due: { reviewMemory: true, reviewSkills: false }
      })
    }
  })

  it("no review is due for what is turned off, nor for skills without a skill tool", () => {
    const busy = Array.from({ length: 50 }, () => ({ ...good, toolIterations: 5 }))
    const off = run(busy, { intervals: { memory: 0, skills: 0 }, skillToolRegistered: true })
    assert.isTrue(off.dues.every((due) => due === null))
    assert.deepStrictEqual(off.counters, noNudges)
    const toolless = run(busy, { intervals: { memory: 0, skills: 10 }, skillToolRegistered: false })
    assert.isTrue(toolless.dues.every((due) => due === null))
    assert.deepStrictEqual(toolless.counters, noNudges)
  })
})

const Natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))
const Turn = Schema.Struct({
  status: Schema.Literals(["completed", "interrupted", "failed", "timed_out"]),
  interrupted: Schema.Boolean,
  finalText: Schema.Literals(["", " ", "Done."]),
  toolIterations: Natural
})
const Run = Schema.Array(Turn).check(Schema.isMaxLength(60))
const Rules = Schema.Struct({
  intervals: Schema.Struct({ memory: Natural, skills: Natural }),
  skillToolRegistered: Schema.Boolean
})

const isGood = ({ finalText, interrupted, status }: SettledTurn) =>
  status === "completed" && !interrupted && finalText.trim() !== ""

describe("nudges over any run of turns", () => {
  it.prop("nudge counters lose no turn: reviews took or left every counted one", [Run, Rules], ([turns, rules]) => {
    let counters = noNudges
    let turnsTaken = 0
    let toolsTaken = 0
    for (const turn of turns) {
      const reached = count(counters, turn, rules)
      const { counters: after, due } = nudge(counters, turn, rules)
      if (due?.reviewMemory === true) turnsTaken += reached.userTurns
      if (due?.reviewSkills === true) toolsTaken += reached.toolIterations
      counters = after
    }
    const tools = turns.reduce((sum, { toolIterations }) => sum + toolIterations, 0)
    const skills = rules.skillToolRegistered && rules.intervals.skills > 0
    assert.strictEqual(turnsTaken + counters.userTurns, rules.intervals.memory > 0 ? turns.length : 0)
    assert.strictEqual(toolsTaken + counters.toolIterations, skills ? tools : 0)
  })

  it.prop(
    "a review is due after good turns only, for counters that are reached only",
    [Run, Rules],
    ([turns, rules]) => {
      let counters = noNudges
      for (const turn of turns) {
        const reached = count(counters, turn, rules)
        const { counters: after, due } = nudge(counters, turn, rules)
        const { memory, skills } = rules.intervals
        const wanted = {
          reviewMemory: isGood(turn) && memory > 0 && reached.userTurns >= memory,
          reviewSkills: isGood(turn) && rules.skillToolRegistered && skills > 0 && reached.toolIterations >= skills
        }
        assert.deepStrictEqual(due, wanted.reviewMemory || wanted.reviewSkills ? wanted : null)
        assert.strictEqual(after.userTurns, wanted.reviewMemory ? 0 : reached.userTurns)
        assert.strictEqual(after.toolIterations, wanted.reviewSkills ? 0 : reached.toolIterations)
        counters = after
      }
    }
  )
})
