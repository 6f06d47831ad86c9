/** What the page writes, and where its addresses lead. */
import { assert, describe, it } from "@effect/vitest"
import { codeOf, hashOf, noFilter, routeOf } from "../../../src/inspect/page/app/router.ts"
import { endOf, leftOf, touchesApprovals } from "../../../src/inspect/page/approvals/words.ts"
import { age, bytes, count, countdown, digits, duration, plural, shortened } from "../../../src/inspect/page/format.ts"
import { nextWords } from "../../../src/inspect/page/sessions/words.ts"
import { stateOf, substateWords, toneOf } from "../../../src/inspect/page/tones.ts"
import type { Approval, SlimStep } from "../../../src/inspect/contract.ts"

describe("numbers and times", () => {
  it.each([
    [-3, "0 s", "0s", "0:00"],
    [4.9, "4 s", "4s", "0:05"],
    [60, "1 min", "1m", "1:00"],
    [200, "3 min 20 s", "3m", "3:20"],
    [7390, "2 h 3 min", "2h", "2:03:10"],
    [90_000, "1 d 1 h", "1d", "25:00:00"]
  ] as const)("%d s", (seconds, long, short, left) => {
    assert.deepStrictEqual([duration(seconds), age(seconds), countdown(seconds)], [long, short, left])
  })

  it("counts with three digits that matter", () => {
    assert.deepStrictEqual([0, 999, 1_000, 12_345, 999_949, 999_950, 4_100_000, 2_500_000_000].map(count), [
      "0",
      "999",
      "1k",
      "12.3k",
      "999k",
      "1M",
      "4.1M",
      "2.5G"
    ])
    assert.strictEqual(digits(1_234_567), "1\u202f234\u202f567")
    assert.deepStrictEqual([plural(1, "match", "matches"), plural(2, "match", "matches")], ["1 match", "2 matches"])
  })

  it("writes sizes", () => {
    assert.deepStrictEqual([0, 1_023, 1_536, 15 * 1_048_576].map(bytes), ["0 B", "1023 B", "1.5 KiB", "15 MiB"])
  })

  it("keeps both ends of what is long", () => {
    assert.strictEqual(shortened("short"), "short")
    const id = shortened("ses_EuZjgZIGvXzePAUYRMmVpP13dZg", 18)
    assert.match(id, /^ses_.+….+dZg$/)
    assert.isAtMost(id.length, 18)
  })
})

describe("states", () => {
  it("are named by their words and have a tone of their own where a person is wanted", () => {
    assert.deepStrictEqual(
      ["idle.asleep", "idle.backingOff", "idle.parked", "turning.asking", "retiring.asking", "closed"].map(
        (substate) => [stateOf(substate), substateWords(substate), toneOf(substate)]
      ),
      [
        ["idle", "asleep", "idle"],
        ["idle", "backing off", "backing"],
        ["idle", "parked", "parked"],
        ["turning", "asking", "asking"],
        ["retiring", "asking", "retiring"],
        ["closed", "", "closed"]
      ]
    )
  })

  it("name where the next step leads, or the timer that leads nowhere", () => {
    const next = (to: string | null) => ({ timer: "interruptAgain", at: 0, to })
    assert.strictEqual(nextWords("idle.awake", next("retiring.asking")), "→ retiring")
    assert.strictEqual(nextWords("idle.parked", next("idle.asleep")), "→ asleep")
    assert.strictEqual(nextWords("retiring.killing", next("closed")), "→ closed")
    assert.strictEqual(nextWords("turning.probing", next(null)), "interruptAgain")
  })
})

describe("addresses", () => {
  it("lead back to what made them", () => {
    const routes = [
      { view: "sessions", filter: noFilter },
      { view: "sessions", filter: { q: "a&b #%", state: "turning", agent: "x y", app: "ü" } },
      { view: "session", id: "ses_a/b?c" },
      { view: "approvals" },
      { view: "machine" }
    ] as const
    for (const route of routes) assert.deepStrictEqual(routeOf(hashOf(route)), route)
  })

  it("that nobody made lead nowhere, and no state is taken that there is not", () => {
    assert.deepStrictEqual(routeOf("#/sessions/%E0%A4%A"), { view: "unknown" })
    assert.deepStrictEqual(routeOf("#/sessions/a/b"), { view: "unknown" })
    assert.deepStrictEqual(routeOf("#/?state=nowhere"), { view: "sessions", filter: noFilter })
    assert.deepStrictEqual(routeOf(""), { view: "sessions", filter: noFilter })
  })

  it("hold the code of a login link only where they are one", () => {
    assert.strictEqual(codeOf("#code=abc-_%2B"), "abc-_+")
    assert.deepStrictEqual(routeOf("#code=abc"), { view: "sessions", filter: noFilter })
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
  settled_at: null
}

describe("approvals", () => {
  it("say how they ended, and by whom", () => {
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

  it("have a time that runs out", () => {
    assert.deepStrictEqual(
      [50, 100, 250, 400, 900].map((now) => leftOf(approval, now)),
      [1, 1, 0.5, 0, 0]
    )
    assert.strictEqual(leftOf({ ...approval, deadline_at: 100 }, 100), 0)
  })

  it("change with the steps that ask, answer or give up, and with no others", () => {
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
