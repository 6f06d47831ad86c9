/** The sentence in the detail of a session that says why it is not moving. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../machines/session/machine.ts"
import { stateInfo } from "../../machines/session/stateInfo.ts"
import { sentenceOf } from "../../src/inspect/detail/why.ts"
import type { Circumstances } from "../../src/inspect/detail/why.ts"
import { waitOf } from "../../src/inspect/wait.ts"
import type { WaitingSession } from "../../src/inspect/wait.ts"

const standing: WaitingSession = {
  substate: "turning.running",
  since: 1_000_000,
  turn: 3,
  process: true,
  asks: null,
  next: null
}
const sentence = (given: Partial<WaitingSession>, circumstances: Partial<Circumstances> = {}) =>
  sentenceOf({
    substate: given.substate ?? standing.substate,
    wait: waitOf({ ...standing, ...given }),
    queued: 0,
    reason: "",
    lastByteAt: null,
    outcome: null,
    circuit: null,
    line: null,
    now: 1_012,
    ...circumstances
  })

describe("the sentence on why a session is not moving", () => {
  it("says what the session waits for, since when, and which timer fires next", () => {
    const next = { timer: "approval apr_1", dueAt: 1_300_000 }
    assert.strictEqual(
      sentence({ substate: "turning.asking", asks: "rm -rf build", next }),
      "Waits for an answer to: rm -rf build (asked 12 s ago). Unanswered in 4 min 48 s it is declined."
    )
    assert.strictEqual(
      sentence(
        { next: { timer: "xstate.after.turnWithin.session.turning", dueAt: 1_600_000 } },
        { lastByteAt: 1_009, queued: 2 }
      ),
      "Waits for the end of turn 3 (12 s so far). Its agent was last heard 3 s ago. The turn's time is up in 9 min 48 s. 2 turns wait in line."
    )
    assert.strictEqual(
      sentence(
        { substate: "idle.parked", next: { timer: "xstate.after.parkFor.session.idle.parked", dueAt: 1_060_000 } },
        { reason: "The agent process was killed by SIGKILL." }
      ),
      "Waits for the end of its pause, or an operator to unpark it (12 s so far). Why: The agent process was killed by SIGKILL. It takes turns again in 48 s."
    )
    assert.strictEqual(
      sentence({ substate: "idle.asleep" }),
      "Waits for a turn (12 s so far). No process runs meanwhile; the next turn starts one."
    )
    assert.strictEqual(
      sentence({ substate: "closed" }, { reason: "closed by desk" }),
      "Closed 12 s ago: closed by desk."
    )
  })

  it("names the tool that runs, and for how long", () => {
    const tools = [{ title: "pytest -q", since: 877_000 }]
    const next = { timer: "xstate.after.turnWithin.session.turning", dueAt: 1_600_000 }
    assert.strictEqual(
      sentence({ tools, next }, { lastByteAt: 877 }),
      "`pytest -q` has run for 2 min 15 s. Its agent was last heard 2 min 15 s ago. The turn's time is up in 9 min 48 s."
    )
    assert.match(
      sentence({ tools: [...tools, ...tools] }),
      /^`pytest -q` has run for 2 min 15 s, and 1 more tool runs\./
    )
  })

  it("says the place in the line, and who has the slots", () => {
    const line = {
      place: 2,
      waiting: 3,
      size: 3,
      holders: [
        { session_id: "ses_a", app: "desk", since: 832 },
        { session_id: "ses_b", app: "desk", since: 1_002 }
      ],
      others: 1
    }
    assert.strictEqual(
      sentence({ substate: "turning.queued", line }, { line }),
      "Waits for a free process slot, as number 2 of 3 in line (12 s so far). The 3 slots are held by ses_a of desk (for 3 min), ses_b of desk (for 10 s), 1 session of another app."
    )
  })

  it("does not forget how the last turn ended, until another one runs", () => {
    const failure = { class: "crash", message: "The agent process ended with exit code 1: Error: no such file" }
    const outcome = { turn: 3, status: "failed", at: 892, failure } as const
    assert.strictEqual(
      sentence({ substate: "idle.asleep" }, { outcome }),
      "Waits for a turn (12 s so far). Turn 3 failed 2 min ago (crash): The agent process ended with exit code 1: Error: no such file. No process runs meanwhile; the next turn starts one."
    )
    assert.match(
      sentence({ substate: "idle.parked" }, { outcome, reason: failure.message }),
      /Why: The agent process ended with exit code 1: Error: no such file\. Turn 3 failed 2 min ago \(crash\)\.$/
    )
    assert.notInclude(sentence({}, { outcome }), "failed")
    const completed = { turn: 3, status: "completed", at: 892, failure: null } as const
    assert.include(sentence({ substate: "idle.awake" }, { outcome: completed }), "Turn 3 was completed 2 min ago.")
  })

  it("says that its agent is not started, where it has none", () => {
    const circuit = { until: 1_033, reason: "no such file" }
    const words = "Its agent is not started for another 21 s, because its starts kept failing: no such file."
    assert.include(sentence({ substate: "idle.asleep" }, { circuit }), words)
    assert.notInclude(sentence({ substate: "turning.running" }, { circuit }), "not started")
    assert.notInclude(sentence({ substate: "idle.asleep" }, { circuit, now: 1_040 }), "not started")
  })

  it("promises another try only where a turn waits for it", () => {
    const next = { timer: "xstate.after.parkFor.session.idle.parked", dueAt: 1_060_000 }
    assert.match(sentence({ substate: "idle.parked", next }), /It takes turns again in 48 s\.$/)
    assert.include(sentence({ substate: "idle.parked", next }, { queued: 1 }), "By itself it goes on in 48 s.")
  })

  it("says of a timer that is due that it fires any moment now", () => {
    const next = { timer: "xstate.after.killAgain.session.retiring.killing", dueAt: 1_011_000 }
    assert.match(sentence({ substate: "retiring.killing", next }), /It is killed again any moment now\.$/)
  })

  it("exists for every state and for every delay of the machine", () => {
    for (const substate of Object.keys(stateInfo)) {
      assert.match(sentence({ substate }), /^(Waits for |Closed ).+\.$/)
    }
    for (const delay of [...Object.keys(sessionMachine.implementations.delays), "approvalTimeout", "postToolQuiet"]) {
      const timer =
        delay === "approvalTimeout"
          ? "approval x"
          : delay === "postToolQuiet"
            ? "quiet"
            : `xstate.after.${delay}.session`
      assert.notMatch(sentence({ next: { timer, dueAt: 1_100_000 } }), /is due in/, delay)
    }
  })
})
