/** How a table, in the page and in the terminal, applies changes: which rows it shows, and its counts. */
import { assert, describe, it } from "@effect/vitest"
import { afterRemoval, afterStep, belongs, matches, noFilter, tallyOf } from "../../../src/inspect/client/rows.ts"
import * as Samples from "./samples.ts"

const rowOf = (substate: string) => Samples.rowOf("ses_ABC", substate, { agent: "codex" })
const stepOf = (from: string, to: string, seq = 1) => Samples.stepOf(rowOf(to), from, seq)

const counted = tallyOf({
  ...Samples.pageOf([]),
  count: 5,
  counts: { idle: 3, turning: 2, retiring: 0, closed: 0 },
  substates: { "idle.asleep": 3, "turning.running": 2 }
})

describe("the rows of a table", () => {
  it("are searched in what they show, as the server does it", () => {
    const row = rowOf("idle.backingOff")
    assert.isTrue(matches(row, { ...noFilter, q: "CODEX idle.b" }))
    assert.isTrue(matches(row, noFilter))
    assert.isFalse(matches(row, { ...noFilter, q: "codex claude" }))
    const named = { ...row, name: "Mend the light", meta: { team: "red", eq: "a=b" } }
    assert.isTrue(matches(named, { ...noFilter, q: "THE light" }))
    assert.isTrue(matches(named, { ...noFilter, meta: "team=red" }))
    assert.isTrue(matches(named, { ...noFilter, meta: "eq=a=b" }))
    assert.isFalse(matches(named, { ...noFilter, meta: "team=blue" }))
    assert.isFalse(matches(named, { ...noFilter, outcome: "failed" }))
    assert.isFalse(matches(named, { ...noFilter, substate: "idle.asleep" }))
  })

  it("are added by a match of their text, and removed by their state alone", () => {
    const filter = { ...noFilter, q: "a word of its prompt", state: "idle" } as const
    assert.isFalse(belongs(rowOf("idle.awake"), filter, false))
    assert.isTrue(belongs(rowOf("idle.awake"), filter, true))
    assert.isFalse(belongs(rowOf("turning.queued"), filter, true))
  })
})

describe("the counts of a table", () => {
  it("follow a session from state to state, and stay the same within one", () => {
    assert.deepStrictEqual(afterStep(counted, stepOf("idle.asleep", "turning.queued"), noFilter), {
      ...counted,
      counts: { idle: 2, turning: 3, retiring: 0, closed: 0 },
      substates: { "idle.asleep": 2, "turning.running": 2, "turning.queued": 1 }
    })
    const within = afterStep(counted, stepOf("turning.running", "turning.asking"), noFilter)
    assert.deepStrictEqual(within.counts, counted.counts)
    assert.deepStrictEqual(within.substates, { "idle.asleep": 3, "turning.running": 1, "turning.asking": 1 })
    assert.strictEqual(afterStep(counted, stepOf("turning.running", "turning.running"), noFilter), counted)
    // A closed session is none of the open ones.
    assert.deepStrictEqual(afterStep(counted, stepOf("idle.asleep", "closed"), noFilter).substates, {
      "idle.asleep": 2,
      "turning.running": 2
    })
  })

  it("follow the list of a substate", () => {
    const asking = { ...noFilter, substate: "turning.asking" }
    assert.strictEqual(afterStep(counted, stepOf("turning.running", "turning.asking"), asking).count, 6)
    assert.strictEqual(afterStep(counted, stepOf("turning.asking", "turning.running"), asking).count, 4)
    assert.strictEqual(afterStep(counted, stepOf("idle.asleep", "turning.queued"), asking).count, 5)
  })

  it("include a new session whatever the filter, and the number of matches where it matches", () => {
    const first = stepOf("idle.asleep", "idle.asleep", 0)
    assert.deepInclude(afterStep(counted, first, noFilter), { count: 6, counts: { ...counted.counts, idle: 4 } })
    const other = { ...noFilter, agent: "claude" }
    assert.deepInclude(afterStep(counted, first, other), { count: 5, counts: { ...counted.counts, idle: 4 } })
  })

  it("are unsure of a search, which only the server can do completely", () => {
    const filter = { ...noFilter, q: "a word of its prompt", state: "turning" } as const
    assert.deepInclude(afterStep(counted, stepOf("idle.asleep", "turning.queued"), filter), {
      count: 6,
      isUnsure: true
    })
    const without = { ...filter, q: "" }
    assert.isFalse(afterStep(counted, stepOf("idle.asleep", "turning.queued"), without).isUnsure)
  })

  it("lose a deleted session that was shown, and are unsure after one that was not", () => {
    assert.deepStrictEqual(afterRemoval(counted, rowOf("turning.running")), {
      ...counted,
      count: 4,
      counts: { idle: 3, turning: 1, retiring: 0, closed: 0 },
      substates: { "idle.asleep": 3, "turning.running": 1 }
    })
    assert.deepStrictEqual(afterRemoval(counted, undefined), { ...counted, isUnsure: true })
  })

  it("are unsure where changes came while the server was counting, and never go below zero", () => {
    const answer = Samples.pageOf([])
    const late = tallyOf(answer, new Map([["ses_ABC", null]]))
    assert.isTrue(late.isUnsure)
    assert.deepInclude(afterStep(late, stepOf("idle.awake", "closed"), { ...noFilter, state: "idle" }), {
      count: 0,
      counts: { ...answer.counts, closed: 1 }
    })
  })
})
