/** The session machine's budget of restarts: how many deaths it allows, and what refills it. */
import { assert, describe, it } from "@effect/vitest"
import { begin, decide } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { nameOf } from "./story.ts"
import { crash } from "./walk.ts"

describe("the budget of restarts", () => {
  const dieAwake = (snapshot: SessionSnapshot, at: number) => {
    const exited = decide(sessionMachine, snapshot, { type: "process.exited", failure: crash, at, jitter: 0 })
    return decide(sessionMachine, exited.next, { type: "process.gone" })
  }
  const comeBack = (snapshot: SessionSnapshot, at: number) =>
    (
      [
        { type: "xstate.after.backoff.session.idle.backingOff" },
        { type: "slot.granted" },
        { type: "process.ready", thread: "t", at }
      ] as unknown as ReadonlyArray<SessionEvent>
    ).reduce((now, event) => decide(sessionMachine, now, event).next, snapshot)
  const awake = (
    [
      { type: "turn.submitted", turn: 1, timeoutMillis: 1, queue: false, at: 0 },
      { type: "slot.granted" },
      { type: "process.ready", thread: "t", at: 0 },
      { type: "turn.ended", turn: 1, stopReason: "end_turn", failure: null, at: 0 }
    ] as ReadonlyArray<SessionEvent>
  ).reduce((now, event) => decide(sessionMachine, now, event).next, begin(sessionMachine, undefined).next)

  it("lets the intensity pass and parks at one more, whose turns in line all fail", () => {
    let snapshot = awake
    for (let n = 0; n < 3; n++) {
      const decision = dieAwake(snapshot, 1_000 * n)
      assert.strictEqual(nameOf(decision.next), "idle.backingOff")
      assert.strictEqual(decision.arm[0]!.delayMillis, 250 * 2 ** n)
      snapshot = comeBack(decision.next, 1_000 * n + 500)
    }
    assert.strictEqual(nameOf(dieAwake(snapshot, 3_000).next), "idle.parked")
  })

  it("slides its window: deaths that are far apart never park", () => {
    let snapshot = awake
    for (let n = 0; n < 10; n++) {
      const decision = dieAwake(snapshot, 25_000 * n)
      assert.strictEqual(nameOf(decision.next), "idle.backingOff")
      snapshot = comeBack(decision.next, 25_000 * n + 5_000)
    }
  })

  it("is not forgotten by a successful start, but by a completed turn", () => {
    const once = comeBack(dieAwake(awake, 0).next, 100)
    assert.strictEqual(once.context.restarts.attempt, 1)
    const turned = (
      [
        { type: "turn.submitted", turn: 2, timeoutMillis: 1, queue: false, at: 0 },
        { type: "turn.ended", turn: 2, stopReason: "end_turn", failure: null, at: 0 }
      ] as ReadonlyArray<SessionEvent>
    ).reduce((now, event) => decide(sessionMachine, now, event).next, once)
    assert.deepStrictEqual(turned.context.restarts.exits, [])
  })

  it("does not loop on a failure that only a person can mend, nor try those that wait in line", () => {
    const starting = (
      [
        { type: "turn.submitted", turn: 1, timeoutMillis: 1, queue: false, at: 0 },
        { type: "turn.submitted", turn: 2, timeoutMillis: 1, queue: true, at: 0 },
        { type: "slot.granted" }
      ] as ReadonlyArray<SessionEvent>
    ).reduce((now, event) => decide(sessionMachine, now, event).next, begin(sessionMachine, undefined).next)
    const failed = decide(sessionMachine, starting, {
      type: "process.failed",
      failure: { class: "auth", message: "log in" },
      at: 0,
      jitter: 0
    })
    const queued = failed.commands.find((command) => command.type === "settleQueued")
    assert.deepStrictEqual(queued?.params, { turns: [2], failure: { class: "auth", message: "log in" } })
    assert.strictEqual(nameOf(decide(sessionMachine, failed.next, { type: "process.gone" }).next), "idle.asleep")
  })

  it("makes a turn that comes during the backoff wait for its end", () => {
    const { next } = dieAwake(awake, 1_000)
    const { commands } = decide(sessionMachine, next, {
      type: "turn.submitted",
      turn: 2,
      timeoutMillis: 1,
      queue: false,
      at: 0
    })
    const slot = commands.find((command) => command.type === "takeSlot")
    assert.deepStrictEqual(slot?.params, { urgent: true, notBefore: 1_250 })
  })
})
