/** The table of `troupe top`, as it is told: a page, and the steps before, during and after it. */
import { assert, describe, it } from "@effect/vitest"
import { Rows } from "../../src/cli/top/Rows.ts"
import { noFilter } from "../../src/inspect/client/rows.ts"
import type { SessionRow, SessionRows, SlimStep } from "../../src/inspect/contract.ts"

const rowOf = (id: string, substate = "idle.asleep"): SessionRow => ({
  session_id: id,
  app: "web",
  agent: "demo",
  state: substate.split(".")[0] as SessionRow["state"],
  substate,
  created_at: 1,
  last_activity_at: 1,
  closed_at: null,
  turns: 0,
  restarts: 0,
  total_tokens: 0,
  wait: null
})

const stepOf = (row: SessionRow, from = "idle.asleep", seq = 1): SlimStep => ({
  n: 1,
  seq,
  at: 1,
  event: seq === 0 ? "created" : "turn.submitted",
  from,
  to: row.substate,
  row
})

const pageOf = (next: string | null, ...sessions: ReadonlyArray<SessionRow>): SessionRows => ({
  ok: true,
  count: sessions.length,
  counts: { idle: sessions.length, turning: 0, retiring: 0, closed: 0 },
  agents: [],
  apps: [],
  sessions,
  next_cursor: next
})

const withRows = (filter: Partial<typeof noFilter>, ...sessions: ReadonlyArray<SessionRow>): Rows => {
  const rows = new Rows()
  rows.expect({ ...noFilter, ...filter })
  rows.page(pageOf(null, ...sessions), true)
  return rows
}

describe("the rows of the table", () => {
  it("change in their places, and new ones go on top", () => {
    const rows = withRows({}, rowOf("a"), rowOf("b"))
    rows.step(stepOf(rowOf("b", "turning.running")))
    rows.step(stepOf(rowOf("c"), "idle.asleep", 0))
    assert.deepStrictEqual(rows.order, ["c", "a", "b"])
    assert.strictEqual(rows.row("b")?.substate, "turning.running")
    assert.deepStrictEqual(rows.tally.counts, { idle: 2, turning: 1, retiring: 0, closed: 0 })
    assert.strictEqual(rows.tally.count, 3)
  })

  it("leave where they don't fit the filter any more, and are counted", () => {
    const rows = withRows({ state: "idle" }, rowOf("a"), rowOf("b"))
    rows.step(stepOf(rowOf("a", "turning.queued")))
    assert.deepStrictEqual([rows.order, rows.tally.count], [["b"], 1])
    rows.step(stepOf(rowOf("a"), "turning.running", 2))
    assert.deepStrictEqual([rows.order, rows.tally.count], [["a", "b"], 2])
  })

  it("stay where the server found them by something that they don't show", () => {
    const rows = withRows({ q: "a word of its title" }, rowOf("a"))
    rows.step(stepOf(rowOf("a", "turning.running")))
    rows.step(stepOf(rowOf("b", "turning.running")))
    assert.deepStrictEqual(rows.order, ["a"])
  })

  it("are as young as the news that came while their page was on its way", () => {
    const rows = new Rows()
    rows.expect(noFilter)
    rows.step(stepOf(rowOf("a", "turning.running")))
    rows.removed("b")
    rows.page(pageOf("more", rowOf("a"), rowOf("b"), rowOf("c")), true)
    assert.deepStrictEqual(rows.order, ["a", "c"])
    assert.strictEqual(rows.row("a")?.substate, "turning.running")
    assert.isTrue(rows.tally.isUnsure)
    assert.isTrue(rows.hasMore)
  })

  it("are no more than a terminal's reader can want, the newest of them", () => {
    const many = Array.from({ length: 2_000 }, (_, n) => rowOf(`s${n}`))
    const rows = new Rows()
    rows.expect(noFilter)
    rows.page(pageOf("more", ...many), true)
    assert.isFalse(rows.hasMore)
    rows.step(stepOf(rowOf("new"), "idle.asleep", 0))
    assert.deepStrictEqual([rows.order.length, rows.order[0], rows.row("s1999")], [2_000, "new", undefined])
  })
})
