/** The rows of `troupe top`: a page from the server, and the steps before, during and after it. */
import { assert, describe, it } from "@effect/vitest"
import { Rows } from "../../src/cli/top/Rows.ts"
import { noFilter } from "../../src/inspect/client/rows.ts"
import type { SessionRow } from "../../src/inspect/contract.ts"
import { pageOf, rowOf, stepOf } from "../inspect/client/samples.ts"

const withRows = (filter: Partial<typeof noFilter>, ...sessions: ReadonlyArray<SessionRow>): Rows => {
  const rows = new Rows()
  rows.expect({ ...noFilter, ...filter })
  rows.page(pageOf(sessions), true)
  return rows
}

describe("the rows of the table", () => {
  it("change in place, and new ones go on top", () => {
    const rows = withRows({}, rowOf("a"), rowOf("b"))
    rows.step(stepOf(rowOf("b", "turning.running")))
    rows.step(stepOf(rowOf("c"), "idle.asleep", 0))
    assert.deepStrictEqual(rows.order, ["c", "a", "b"])
    assert.strictEqual(rows.row("b")?.substate, "turning.running")
    assert.deepStrictEqual(rows.tally.counts, { idle: 2, turning: 1, retiring: 0, closed: 0 })
    assert.strictEqual(rows.tally.count, 3)
  })

  it("leave where they don't match the filter any more, and the counts follow", () => {
    const rows = withRows({ state: "idle" }, rowOf("a"), rowOf("b"))
    rows.step(stepOf(rowOf("a", "turning.queued")))
    assert.deepStrictEqual([rows.order, rows.tally.count], [["b"], 1])
    rows.step(stepOf(rowOf("a"), "turning.running", 2))
    assert.deepStrictEqual([rows.order, rows.tally.count], [["a", "b"], 2])
  })

  it("stay where the server matched them by text that they don't contain", () => {
    const rows = withRows({ q: "a word of its title" }, rowOf("a"))
    rows.step(stepOf(rowOf("a", "turning.running")))
    rows.step(stepOf(rowOf("b", "turning.running")))
    assert.deepStrictEqual(rows.order, ["a"])
  })

  it("are as new as the steps that arrived while their page was loading", () => {
    const rows = new Rows()
    rows.expect(noFilter)
    rows.step(stepOf(rowOf("a", "turning.running")))
    rows.removed("b")
    rows.page(pageOf([rowOf("a"), rowOf("b"), rowOf("c")], "more"), true)
    assert.deepStrictEqual(rows.order, ["a", "c"])
    assert.strictEqual(rows.row("a")?.substate, "turning.running")
    assert.isTrue(rows.tally.isUnsure)
    assert.isTrue(rows.hasMore)
  })

  it("are at most 2,000, the newest ones", () => {
    const many = Array.from({ length: 2_000 }, (_, n) => rowOf(`s${n}`))
    const rows = new Rows()
    rows.expect(noFilter)
    rows.page(pageOf(many, "more"), true)
    assert.isFalse(rows.hasMore)
    rows.step(stepOf(rowOf("new"), "idle.asleep", 0))
    assert.deepStrictEqual([rows.order.length, rows.order[0], rows.row("s1999")], [2_000, "new", undefined])
  })
})
