/** What a table makes of the news, wherever it is drawn: who gets in, and how the counts go on. */
import { assert, describe, it } from "@effect/vitest"
import { afterRemoval, afterStep, belongs, matches, noFilter, tallyOf } from "../../../src/inspect/client/rows.ts"
import * as Samples from "./samples.ts"

const rowOf = (substate: string) => Samples.rowOf("ses_ABC", substate, { agent: "codex" })
const stepOf = (from: string, to: string, seq = 1) => Samples.stepOf(rowOf(to), from, seq)

const told = tallyOf({ ...Samples.pageOf([]), count: 5, counts: { idle: 3, turning: 2, retiring: 0, closed: 0 } })

describe("rows", () => {
  it("are searched as the server does it, in what they show", () => {
    const row = rowOf("idle.backingOff")
    assert.isTrue(matches(row, { ...noFilter, q: "CODEX idle.b" }))
    assert.isTrue(matches(row, noFilter))
    assert.isFalse(matches(row, { ...noFilter, q: "codex claude" }))
  })

  it("get in by their words, and leave by their state alone", () => {
    const filter = { ...noFilter, q: "a word of its prompt", state: "idle" } as const
    assert.isFalse(belongs(rowOf("idle.awake"), filter, false))
    assert.isTrue(belongs(rowOf("idle.awake"), filter, true))
    assert.isFalse(belongs(rowOf("turning.queued"), filter, true))
  })
})

describe("counts", () => {
  it("go with a session from state to state, and stay the same within one", () => {
    assert.deepStrictEqual(afterStep(told, stepOf("idle.asleep", "turning.queued"), noFilter), {
      count: 5,
      counts: { idle: 2, turning: 3, retiring: 0, closed: 0 },
      isUnsure: false
    })
    assert.strictEqual(afterStep(told, stepOf("turning.queued", "turning.running"), noFilter), told)
  })

  it("take a new session in, of whatever filter, and the match where it is one", () => {
    const first = stepOf("idle.asleep", "idle.asleep", 0)
    assert.deepInclude(afterStep(told, first, noFilter), { count: 6, counts: { ...told.counts, idle: 4 } })
    const other = { ...noFilter, agent: "claude" }
    assert.deepInclude(afterStep(told, first, other), { count: 5, counts: { ...told.counts, idle: 4 } })
  })

  it("are unsure of a search, which only the server can do whole", () => {
    const filter = { ...noFilter, q: "a word of its prompt", state: "turning" } as const
    assert.deepInclude(afterStep(told, stepOf("idle.asleep", "turning.queued"), filter), { count: 6, isUnsure: true })
    const without = { ...filter, q: "" }
    assert.isFalse(afterStep(told, stepOf("idle.asleep", "turning.queued"), without).isUnsure)
  })

  it("lose a deleted session that was shown, and are unsure of one that was not", () => {
    assert.deepStrictEqual(afterRemoval(told, rowOf("turning.running")), {
      count: 4,
      counts: { idle: 3, turning: 1, retiring: 0, closed: 0 },
      isUnsure: false
    })
    assert.deepStrictEqual(afterRemoval(told, undefined), { ...told, isUnsure: true })
  })

  it("are unsure where news came while the server was counting, and go no lower than nothing", () => {
    const answer = Samples.pageOf([])
    const late = tallyOf(answer, new Map([["ses_ABC", null]]))
    assert.isTrue(late.isUnsure)
    assert.deepInclude(afterStep(late, stepOf("idle.awake", "closed"), { ...noFilter, state: "idle" }), {
      count: 0,
      counts: { ...answer.counts, closed: 1 }
    })
  })
})
