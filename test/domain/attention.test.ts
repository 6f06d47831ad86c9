/** What needs a person: each kind from its bound on, one for each session, the oldest first. */
import { assert, describe, it } from "@effect/vitest"
import { attentionBoundsOf, needsAttention } from "../../src/domain/attention.ts"
import type { HeldUp } from "../../src/domain/heldUp.ts"
import type { Situation } from "../../src/domain/attention.ts"
import { AppName, SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"

const now = 1_000_000_000
const bounds = attentionBoundsOf(defaultLimits)
const of = (session: string) => ({
  session: SessionId.make(session),
  app: AppName.make("desk"),
  agent: "codex",
  turn: 3
})

const asked = (session: string, ago: number, isQuestion = false): Situation => ({
  _tag: "Asked",
  ...of(session),
  approval: "apr_1",
  title: "rm -rf build",
  isQuestion,
  at: now - ago
})
const working = (
  ago: number,
  usualSilenceMillis: number | null,
  { heldUp, used = 0 }: { readonly heldUp?: HeldUp["kind"]; readonly used?: number } = {}
): Situation => ({
  _tag: "AtWork",
  ...of("ses_w"),
  heardAt: now - ago,
  usualSilenceMillis,
  heldUp: heldUp === undefined ? null : { kind: heldUp, verdict: "Something holds it up." },
  used
})
const queued = (ago: number): Situation => ({ _tag: "Queued", ...of("ses_q"), since: now - ago })
const failed = (session: string, ago: number, kind: "model" | "outcome_unknown" | null = "model"): Situation => ({
  _tag: "Failed",
  ...of(session),
  status: kind === null ? "timed_out" : "failed",
  class: kind,
  message: "it said no",
  endedAt: now - ago
})
const parked = (session: string, ago: number): Situation => ({
  _tag: "Parked",
  ...of(session),
  reason: "it keeps dying",
  since: now - ago,
  until: null
})
const circuit: Situation = { _tag: "CircuitOpen", agent: "codex", node: null, reason: "no login", until: now + 1 }

const kinds = (...situations: ReadonlyArray<Situation>) =>
  needsAttention(situations, now, bounds).map(({ kind, situation }) =>
    "session" in situation ? `${kind} ${situation.session}` : kind
  )

describe("what needs a person", () => {
  const minute = 60_000
  const day = 1_440 * minute
  const cases: ReadonlyArray<readonly [what: string, Situation, kind: string | null]> = [
    ["a question, from its bound on", asked("ses_a", minute), "asked"],
    ["and not before", asked("ses_a", minute - 1), null],
    ["a turn in line", queued(15_000), "queued"],
    ["and not at once", queued(14_999), null],
    ["a session that is parked, at once", parked("ses_p", 0), "parked"],
    ["a failed turn, at once", failed("ses_f", 0), "failed"],
    ["one that ran out of time", failed("ses_f", 0, null), "failed"],
    ["and none of days ago", failed("ses_f", day + 1), null],
    ["a turn whose outcome nobody knows", failed("ses_u", 0, "outcome_unknown"), "unknown"],
    ["a circuit that is open", circuit, "circuit"],
    ["a silence that is longer than the agent's usual one", working(200_001, 200_000), "silent"],
    ["and none that is usual", working(199_999, 200_000), null],
    ["no short silence of a talkative agent", working(minute - 1, 10), null],
    ["but a minute of it", working(minute, 10), "silent"],
    ["of an agent that is not known yet five minutes", working(5 * minute, null), "silent"],
    ["and not less", working(5 * minute - 1, null), null],
    ["of one that only computes a minute", working(minute, null, { used: 1 }), "silent"],
    ["and none that is usual for one that computes", working(minute, 2 * minute, { used: 1 }), null],
    [
      "of one that waits for a lock a minute, whatever is usual",
      working(minute, 2 * minute, { heldUp: "blocked" }),
      "silent"
    ],
    ["and not less", working(minute - 1, null, { heldUp: "blocked" }), null],
    ["of one that is stopped ten seconds", working(10_000, 2 * minute, { heldUp: "stopped" }), "silent"],
    [
      "and not less, as of a shell's job that is put aside for a moment",
      working(9_999, null, { heldUp: "stopped" }),
      null
    ]
  ]
  for (const [what, situation, kind] of cases) {
    it(`is ${what}`, () => {
      assert.deepStrictEqual(
        needsAttention([situation], now, bounds).map((found) => found.kind),
        kind === null ? [] : [kind]
      )
    })
  }

  it("says first what is to be seen in a row of a list", () => {
    const [loop] = needsAttention([working(minute, null, { used: 0.98 })], now, bounds)
    assert.match(loop?.what ?? "", /^It looks like a busy loop: it uses 98 % of a processor\. Nothing is heard/)
  })

  it("comes with circuits first, and then the oldest first", () => {
    assert.deepStrictEqual(
      kinds(queued(20_000), asked("ses_a", 3 * minute), parked("ses_p", 2 * minute), circuit, failed("ses_f", day)),
      ["circuit", "failed ses_f", "asked ses_a", "parked ses_p", "queued ses_q"]
    )
  })

  it("is one thing for each session: what stands for the others", () => {
    assert.deepStrictEqual(kinds(failed("ses_1", 5 * minute), parked("ses_1", 4 * minute)), ["parked ses_1"])
    assert.deepStrictEqual(kinds(parked("ses_1", 4 * minute), asked("ses_1", minute)), ["asked ses_1"])
    // Of two questions the older one.
    const found = needsAttention([asked("ses_1", minute), asked("ses_1", 2 * minute)], now, bounds)
    assert.deepStrictEqual(
      found.map(({ since }) => now - (since ?? 0)),
      [2 * minute]
    )
  })

  it("is the circuit of each node", () => {
    assert.lengthOf(kinds({ ...circuit, node: "a" }, { ...circuit, node: "b" }), 2)
  })

  it("is said in a sentence that names what was asked, what failed, and why", () => {
    const [question, leave] = [asked("ses_1", minute, true), asked("ses_2", minute)].map(
      (situation) => needsAttention([situation], now, bounds)[0]?.what
    )
    assert.strictEqual(question, "codex asks: rm -rf build")
    assert.strictEqual(leave, "codex asks for permission: rm -rf build")
    const said = needsAttention([failed("ses_1", 0), parked("ses_2", 0)], now, bounds).map(({ what }) => what)
    assert.deepStrictEqual(said, ["Turn 3 failed: it said no", "It is parked: it keeps dying"])
  })
})
