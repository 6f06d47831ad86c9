/** The page's words, and its addresses. */
import { assert, describe, it } from "@effect/vitest"
import { codeOf, hashOf, routeOf } from "../../../src/inspect/page/app/router.ts"
import { endOf, leftOf, touchesApprovals } from "../../../src/inspect/page/approvals/words.ts"
import { noFilter } from "../../../src/inspect/client/rows.ts"
import type { Approval, SlimStep } from "../../../src/inspect/contract.ts"

describe("addresses of the page", () => {
  it("parse to the route that they were made of", () => {
    const routes = [
      { view: "attention" },
      { view: "sessions", filter: noFilter },
      { view: "sessions", filter: { ...noFilter, q: "a&b #%", state: "turning", agent: "x y", app: "ü", node: "a&b" } },
      { view: "sessions", filter: { ...noFilter, substate: "turning.asking", sort: "state" } },
      { view: "sessions", filter: { ...noFilter, outcome: "failed", meta: "a&b=c=d", sort: "cost", order: "asc" } },
      { view: "session", id: "ses_a/b?c" },
      { view: "session", id: "ses_a/b", place: { moment: { of: "steps", seq: 16 }, tab: "state" } },
      { view: "session", id: "ses_a", place: { moment: { of: "events", seq: 0 } } },
      { view: "session", id: "ses_a", place: { tab: "a&b" } },
      { view: "approvals" },
      { view: "machine" },
      { view: "fleet" },
      { view: "nodes" }
    ] as const
    for (const route of routes) assert.deepStrictEqual(routeOf(hashOf(route)), route)
  })

  it("fall back to a valid route where they are malformed or name an unknown state", () => {
    assert.deepStrictEqual(routeOf("#/sessions/%E0%A4%A"), { view: "unknown" })
    assert.deepStrictEqual(routeOf("#/sessions/a/b"), { view: "unknown" })
    // The session is shown, and it is said that there is no such step.
    for (const step of ["", "x", "-1", "1.5", "9".repeat(16)])
      assert.deepStrictEqual(routeOf(`#/sessions/a/steps/${step}`), {
        view: "session",
        id: "a",
        place: { moment: { of: "steps", seq: null } }
      })
    assert.deepStrictEqual(routeOf("#/?state=nowhere"), { view: "sessions", filter: noFilter })
    for (const query of ["state=nowhere", "substate=<b>", "outcome=lost", "meta=x", "sort=size", "order=up"])
      assert.deepStrictEqual(routeOf(`#/sessions?${query}`), { view: "sessions", filter: noFilter })
    assert.deepStrictEqual(routeOf(""), { view: "attention" })
  })

  it("contain a login code only in a login link", () => {
    assert.strictEqual(codeOf("#code=abc-_%2B"), "abc-_+")
    assert.deepStrictEqual(routeOf("#code=abc"), { view: "attention" })
    assert.isUndefined(codeOf("#/?code=abc"))
    assert.isUndefined(codeOf("#code=%E0%A4%A"))
  })
})

const approval: Approval = {
  approval_id: "apr_1",
  session_id: "ses_1",
  app: "default",
  agent: "demo",
  turn: 1,
  kind: "execute",
  title: "rm -rf build",
  raw: {},
  created_at: 100,
  deadline_at: 400,
  status: "pending",
  decision: null,
  decided_by: null,
  settled_at: null,
  fields: null,
  answers: null
}

describe("the words of an approval", () => {
  it("say how it ended, and by whom", () => {
    assert.deepStrictEqual(
      [
        approval,
        { ...approval, status: "answered", decision: "once", decided_by: "app default" } as const,
        { ...approval, status: "answered", decision: "deny", decided_by: null } as const,
        { ...approval, status: "expired", decision: "deny", decided_by: "timer" } as const,
        { ...approval, status: "withdrawn" } as const
      ].map(endOf),
      [
        "Waits for an answer",
        "Allowed once by app default",
        "Denied",
        "Declined: nobody answered in time",
        "Withdrawn: its turn ended"
      ]
    )
  })

  it("include the time that is left", () => {
    assert.deepStrictEqual(
      [50, 100, 250, 400, 900].map((now) => leftOf(approval, now)),
      [1, 1, 0.5, 0, 0]
    )
    assert.strictEqual(leftOf({ ...approval, deadline_at: 100 }, 100), 0)
  })

  it("change with steps that request, answer or withdraw an approval, and with no others", () => {
    const step = (event: string, from: string, to: string) => ({ event, from, to }) as SlimStep
    assert.deepStrictEqual(
      [
        step("approval.asked", "turning.asking", "turning.asking"),
        step("turn.ended", "turning.asking", "idle.awake"),
        step("turn.submitted", "idle.asleep", "turning.queued"),
        step("process.exited", "retiring.asking", "retiring.killing")
      ].map(touchesApprovals),
      [true, true, false, false]
    )
  })
})
