/** The rows of the page's table, from pages of the server and the changes in between. */
import { assert, describe, it } from "@effect/vitest"
import { noFilter } from "../../../src/inspect/client/rows.ts"
import type { SessionFilter } from "../../../src/inspect/client/api.ts"
import { Table } from "../../../src/inspect/page/sessions/table.ts"
import type { SessionRow } from "../../../src/inspect/contract.ts"
import { pageOf, rowOf, stepOf } from "../client/samples.ts"

const tableWith = (filter: Partial<SessionFilter>, ...sessions: ReadonlyArray<SessionRow>) => {
  const table = new Table()
  table.expect({ ...noFilter, ...filter })
  table.page(pageOf(sessions), true)
  return table
}

const substates = (table: Table) => table.order.value.map((id) => table.row(id)?.value.row.substate)

describe("the table of sessions", () => {
  it("changes a row in its place, and only that row", () => {
    const table = tableWith({}, rowOf("a"), rowOf("b"))
    const other = table.row("a")?.value
    table.steps([stepOf(rowOf("b", "turning.queued"))], true, 5)
    assert.deepStrictEqual(table.order.value, ["a", "b"])
    assert.deepStrictEqual(substates(table), ["idle.asleep", "turning.queued"])
    assert.strictEqual(table.row("a")?.value, other)
    assert.strictEqual(table.row("b")?.value.changedAt, 5)
    assert.deepStrictEqual(table.counts.value, { idle: 1, turning: 1, retiring: 0, closed: 0 })
    assert.strictEqual(table.count.value, 2)
  })

  it("removes a row that no longer matches the filter, unless it matches again within the same frame", () => {
    const table = tableWith({ state: "idle" }, rowOf("a"), rowOf("b"))
    table.steps(
      [
        stepOf(rowOf("a", "turning.queued")),
        stepOf(rowOf("b", "turning.queued")),
        stepOf(rowOf("b", "idle.awake"), "turning.running")
      ],
      true,
      5
    )
    assert.deepStrictEqual(table.order.value, ["b"])
    assert.deepStrictEqual(substates(table), ["idle.awake"])
    assert.strictEqual(table.count.value, 1)
  })

  it("adds a new row on top for a reader at the top, and lets it wait for one further down", () => {
    const table = tableWith({}, rowOf("a"))
    table.steps([stepOf(rowOf("b"), "", 0)], true, 5)
    assert.deepStrictEqual(table.order.value, ["b", "a"])
    table.steps([stepOf(rowOf("c"), "", 0), stepOf(rowOf("d"), "", 0)], false, 6)
    assert.deepStrictEqual(table.order.value, ["b", "a"])
    assert.deepStrictEqual(table.waiting.value, ["d", "c"])
    assert.strictEqual(table.count.value, 4)
    table.letIn()
    assert.deepStrictEqual(table.order.value, ["d", "c", "b", "a"])
    assert.deepStrictEqual(table.waiting.value, [])
  })

  it("moves nothing under the reader's pointer: what has left stays until it leaves, what is new waits", () => {
    const table = tableWith({ state: "idle" }, rowOf("a"), rowOf("b"), rowOf("c"))
    table.isPointed = true
    table.steps([stepOf(rowOf("a", "turning.queued")), stepOf(rowOf("b", "turning.queued"))], true, 5)
    table.steps([stepOf(rowOf("d"), "", 0)], true, 6)
    assert.deepStrictEqual(table.order.value, ["a", "b", "c"])
    assert.deepStrictEqual(
      table.order.value.map((id) => table.row(id)?.value.hasLeft),
      [true, true, false]
    )
    assert.deepStrictEqual(table.waiting.value, ["d"])
    // One comes back while the pointer is there.
    table.steps([stepOf(rowOf("b", "idle.awake"), "turning.running")], true, 7)
    assert.isFalse(table.row("b")?.value.hasLeft)
    table.unpointed()
    assert.deepStrictEqual(table.order.value, ["b", "c"])
  })

  it("keeps the places of a list that is sorted by something else, says that they are old, and lets what is new wait", () => {
    const table = tableWith({ sort: "turns" }, rowOf("a"), rowOf("b"))
    assert.isFalse(table.isStale.value)
    table.steps([stepOf(rowOf("b", "turning.queued")), stepOf(rowOf("c"), "", 0)], true, 5)
    assert.deepStrictEqual(table.order.value, ["a", "b"])
    assert.deepStrictEqual(table.waiting.value, ["c"])
    assert.isTrue(table.isStale.value)
    table.expect({ ...noFilter, sort: "turns" })
    table.page(pageOf([rowOf("b"), rowOf("a")]), true)
    assert.isFalse(table.isStale.value)
  })

  it("keeps what a step does not know, and asks for it where a turn has ended", () => {
    const cost = { amount: 1, currency: "USD" }
    const table = tableWith({}, rowOf("a", "turning.running", { cost }), rowOf("b"))
    assert.deepStrictEqual(table.steps([stepOf(rowOf("b", "turning.queued"))], true, 5), [])
    const last_outcome = { turn: 1, status: "completed", at: 9, failure: null } as const
    const ended = rowOf("a", "idle.awake", { last_outcome, last_activity_at: 9 })
    assert.deepStrictEqual(table.steps([stepOf(ended, "turning.running")], true, 6), ["a"])
    assert.deepStrictEqual(table.row("a")?.value.row.cost, cost)
    const dearer = { amount: 2, currency: "USD" }
    table.renewed([{ ...ended, cost: dearer }, rowOf("gone")])
    assert.deepStrictEqual(table.row("a")?.value.row.cost, dearer)
    // An answer that is older than what has come since.
    table.renewed([rowOf("a", "idle.asleep", { last_activity_at: 1 })])
    assert.strictEqual(table.row("a")?.value.row.substate, "idle.awake")
  })

  it("prefers rows that came while a page was being fetched to those of the page", () => {
    const table = tableWith({}, rowOf("a"))
    table.expect(noFilter)
    table.steps([stepOf(rowOf("b", "turning.running"))], false, 5)
    table.removed("c")
    table.page(pageOf([rowOf("b"), rowOf("c"), rowOf("d")]), false)
    assert.deepStrictEqual(table.order.value, ["a", "d"])
    assert.deepStrictEqual(table.waiting.value, ["b"])
    assert.strictEqual(table.row("b")?.value.row.substate, "turning.running")
    assert.isTrue(table.isUnsure)
  })

  it("has a session once, however often pages and changes contain it", () => {
    const table = tableWith({}, rowOf("a"))
    table.steps([stepOf(rowOf("b"), "", 0), stepOf(rowOf("b", "turning.queued"))], true, 5)
    table.expect(noFilter)
    table.page(pageOf([rowOf("a"), rowOf("b"), rowOf("c")]), false)
    assert.deepStrictEqual(table.order.value, ["b", "a", "c"])
  })

  it("removes a deleted session from the rows and from the counts", () => {
    const table = tableWith({}, rowOf("a"), rowOf("b"))
    table.removed("a")
    assert.deepStrictEqual(table.order.value, ["b"])
    assert.deepStrictEqual([table.count.value, table.counts.value.idle], [1, 1])
    assert.isFalse(table.isUnsure)
    table.removed("never seen")
    assert.isTrue(table.isUnsure)
  })

  it("keeps a row that the server found by something that a row does not contain", () => {
    const table = tableWith({ q: "prompt text" }, rowOf("a"))
    table.steps([stepOf(rowOf("a", "turning.queued")), stepOf(rowOf("b"), "", 0)], true, 5)
    assert.deepStrictEqual(table.order.value, ["a"])
  })
})
