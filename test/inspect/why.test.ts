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
      "Waits for an operator to unpark it, or its time (12 s so far). Why: The agent process was killed by SIGKILL. By itself it is tried again in 48 s."
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
