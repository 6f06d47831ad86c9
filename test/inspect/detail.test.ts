/** The detail of one session, made of its rows: what it awaits, its budget, its processes. */
import { assert, describe, it } from "@effect/vitest"
import { decide } from "../../machines/decide.ts"
import { restore, sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { initialContext } from "../../machines/session/events.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StepRecord } from "../../src/ledger/Ledger.ts"
import { withinChars } from "../../src/inspect/api/sessionReads.ts"
import { age } from "../../src/inspect/detail/age.ts"
import { awaitedIn } from "../../src/inspect/detail/awaited.ts"
import { budgetOf } from "../../src/inspect/detail/budget.ts"
import { spansOf } from "../../src/inspect/detail/spans.ts"
import { stateInfo } from "../../machines/session/stateInfo.ts"

const session = SessionId.make("ses_1")
const valueOf = (substate: string): unknown => {
  const [state, inner] = substate.split(".")
  return inner === undefined ? state : { [state ?? ""]: inner }
}
const standingAt = (substate: string, context: object = {}): SessionSnapshot =>
  restore(sessionMachine, { value: valueOf(substate), context: { ...initialContext, ...context }, status: "active" })

describe("a duration", () => {
  it("is written in its two largest units", () => {
    assert.deepStrictEqual([0, 0.9, 12, 60, 288, 3_600, 7_500, 90_061].map(age), [
      "0 s",
      "0 s",
      "12 s",
      "1 min",
      "4 min 48 s",
      "1 h",
      "2 h 5 min",
      "1 d 1 h"
    ])
  })
})

describe("awaited events", () => {
  it("are exactly the events that the state has a transition for", () => {
    const accepts = (snapshot: SessionSnapshot, event: string) =>
      sessionMachine.getTransitionData(snapshot, { type: event } as unknown as SessionEvent).length > 0
    for (const substate of Object.keys(stateInfo).filter((name) => name !== "closed")) {
      const snapshot = standingAt(substate)
      const awaited = awaitedIn(snapshot)
      assert.isAbove(awaited.length, 0, substate)
      assert.strictEqual(new Set(awaited).size, awaited.length)
      for (const event of awaited.filter((name) => !name.startsWith("after "))) {
        const isEvent = sessionMachine.events.some((type) => type === event)
        assert.isTrue(isEvent, `${substate} awaits ${event}`)
      }
      // Guards aside, an event that is not awaited is refused or ignored.
      for (const type of sessionMachine.events) {
        if (awaited.includes(type) || type.startsWith("xstate.")) continue
        if (!accepts(snapshot, type)) continue
        const { next, commands } = decide(sessionMachine, snapshot, { type } as unknown as SessionEvent)
        assert.isTrue(next === snapshot || commands.length === 0, `${substate} takes ${type}`)
      }
    }
  })

  it("name timers by their delays, and leave out ignored events", () => {
    assert.include(awaitedIn(standingAt("idle.awake")), "after hibernateAfter")
    assert.notInclude(awaitedIn(standingAt("retiring.killing")), "process.exited")
    assert.deepStrictEqual(
      awaitedIn(restore(sessionMachine, { value: "closed", context: initialContext, status: "done" })),
      []
    )
  })
})

describe("the restart budget", () => {
  const bounds = { restartIntensity: 3, restartPeriodMillis: 60_000 }
  const none = { backoff: null, parkFor: null }
  const after = (...exits: ReadonlyArray<number>) => ({
    reason: "it died",
    limit: initialContext.limit,
    restarts: { exits, attempt: exits.length, backoffMillis: 500, retryAt: 100_500 }
  })

  it("counts the deaths within the period, and none before it", () => {
    assert.deepStrictEqual(budgetOf(after(30_000, 90_000, 95_000), "idle.awake", bounds, none, 101_000), {
      intensity: 3,
      period_seconds: 60,
      deaths: [90, 95],
      left: 1,
      backoff: null,
      parked: null
    })
  })

  it("shows the present backoff, also that of a turn that waits for a slot", () => {
    const running = { seconds: 0.5, until: 100.5 }
    assert.deepStrictEqual(
      budgetOf(after(100_000), "idle.backingOff", bounds, { ...none, backoff: 100_500 }, 100_100).backoff,
      running
    )
    assert.deepStrictEqual(budgetOf(after(100_000), "turning.queued", bounds, none, 100_100).backoff, running)
    assert.isNull(budgetOf(after(100_000), "turning.queued", bounds, none, 100_600).backoff)
  })

  it("is used up while the session is parked, and says until when", () => {
    const budget = budgetOf(after(1, 2, 3, 4), "idle.parked", bounds, { ...none, parkFor: 160_000 }, 100_000)
    assert.deepStrictEqual([budget.left, budget.deaths], [0, []])
    assert.deepStrictEqual(budget.parked, { reason: "it died", until: 160 })
    const limit = { ...initialContext.limit, pauseMillis: 60_000 }
    const spent = budgetOf({ ...after(), limit }, "idle.parked", bounds, { ...none, parkFor: 160_000 }, 100_000)
    assert.strictEqual(spent.left, 3, "an account that is used up is no death")
  })
})

describe("the processes of a session", () => {
  const step = (seq: number, type: string, from: string, to: string, more: Partial<StepRecord> & object = {}) =>
    ({ session, seq, at: seq * 1_000, event: { type }, from, to, commands: [], ...more }) satisfies StepRecord
  const start = (seq: number) =>
    step(seq, "slot.granted", "turning.queued", "turning.starting", { commands: ["startProcess"] })
  const gone = (seq: number) => step(seq, "process.gone", "retiring.killing", "idle.asleep")

  it("are listed from their start until no process is left, each with the reason of its end", () => {
    const slept = "xstate.after.hibernateAfter.session.idle.awake"
    const failure = {
      class: "crash",
      message: "The agent process was killed by SIGKILL.",
      stderr: "its last words"
    }
    const steps = [
      start(1),
      step(2, slept, "idle.awake", "retiring.asking"),
      step(3, "process.exited", "retiring.asking", "retiring.killing", {
        event: { type: "process.exited", failure: { class: "crash", message: "ended with exit code 0" } }
      }),
      gone(4),
      start(5),
      step(6, "process.exited", "turning.running", "retiring.killing", {
        event: { type: "process.exited", failure, exit: { code: null, signal: "SIGKILL" } }
      }),
      gone(7),
      start(8)
    ]
    assert.deepStrictEqual(spansOf(steps, { generation: 9, process: true, upSince: 8_500 }), [
      {
        generation: 7,
        started_at: 1,
        ended_at: 4,
        exit: "It was put to sleep: nobody had asked it anything for a while.",
        is_failure: false,
        death: { code: null, signal: null, stderr: "" }
      },
      {
        generation: 8,
        started_at: 5,
        ended_at: 7,
        exit: failure.message,
        is_failure: true,
        death: { code: null, signal: "SIGKILL", stderr: "its last words" }
      },
      { generation: 9, started_at: 8, ended_at: null, exit: null, is_failure: false, death: null }
    ])
  })

  it("end with Troupe itself where it ended first", () => {
    const steps = [
      start(1),
      step(2, "process.lost", "turning.running", "idle.asleep", {
        event: { type: "process.lost", failure: { class: "outcome_unknown", message: "Troupe stopped." } }
      })
    ]
    assert.deepStrictEqual(spansOf(steps, { generation: 1, process: false, upSince: null }), [
      { generation: 1, started_at: 1, ended_at: 2, exit: "Troupe stopped.", is_failure: false, death: null }
    ])
  })

  it("did not fail where they were closed or made room, and did where a deadline ended them", () => {
    const ends = (type: string, more: object = {}) =>
      spansOf(
        [
          start(1),
          step(2, type, "turning.running", "retiring.asking", { event: { type, ...more } }),
          step(3, "process.exited", "retiring.asking", "retiring.killing", {
            event: { type: "process.exited", exit: { code: 143, signal: null } }
          }),
          gone(4)
        ],
        { generation: 1, process: false, upSince: null }
      ).map(({ death, is_failure }) => [is_failure, death?.code])
    assert.deepStrictEqual(ends("close.requested", { reason: "closed by desk" }), [[false, 143]])
    assert.deepStrictEqual(ends("hibernate.requested", { reason: "another session needs its place" }), [[false, 143]])
    assert.deepStrictEqual(ends("xstate.after.turnWithin.session.turning"), [[true, 143]])
  })

  it("are left out where their start is not among the steps", () => {
    assert.deepStrictEqual(spansOf([gone(1)], { generation: 4, process: false, upSince: null }), [])
  })

  it("include the one that runs, however long ago it was started", () => {
    assert.deepStrictEqual(spansOf([gone(1)], { generation: 4, process: true, upSince: 2_000 }), [
      { generation: 4, started_at: 2, ended_at: null, exit: null, is_failure: false, death: null }
    ])
  })
})

describe("a page of large events", () => {
  it("has as many as fit, and at least one", () => {
    const sized = (...lengths: ReadonlyArray<number>) => lengths.map((length) => "x".repeat(length - 2))
    const fitting = (lengths: ReadonlyArray<number>) =>
      withinChars(sized(...lengths), 100).map(({ length }) => length + 2)
    assert.deepStrictEqual(fitting([40, 40, 20]), [40, 40, 20])
    assert.deepStrictEqual(fitting([40, 40, 21]), [40, 40])
    assert.deepStrictEqual(fitting([500, 10]), [500])
    assert.deepStrictEqual(fitting([]), [])
  })
})
