/** A used-up account: who waits, who doesn't, and when it is tried again. */
import { assert, describe, it } from "@effect/vitest"
import { decide } from "../../machines/decide.ts"
import { longestQueue, sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent } from "../../machines/session/machine.ts"
import { endedWell, exited, fresh, gone, granted, nameOf, ready, run, submit } from "./story.ts"

describe("a used-up account", () => {
  const usedUp = (turn: number, at: number, retryAt?: number): SessionEvent => ({
    type: "turn.ended",
    turn,
    stopReason: "error",
    failure: { class: "quota", message: "used up", ...(retryAt === undefined ? {} : { retryAt }) },
    at
  })
  const up = [granted, ready()]
  const away = [exited, gone]
  const itsTime = { type: "xstate.after.parkFor.session.idle.parked" } as unknown as SessionEvent
  const parkedWith = (...waiting: ReadonlyArray<SessionEvent>) =>
    run(fresh, submit(1, 600_000), ...up, ...waiting, usedUp(1, 1_000), ...away)

  it("keeps who waits, retires the process, and hands nothing over until its time", () => {
    const parked = parkedWith(submit(2, 600_000))
    assert.deepStrictEqual([nameOf(parked), parked.context.process], ["idle.parked", false])
    assert.deepStrictEqual(parked.context.limit, { failures: 1, pauseMillis: 60_000, until: 61_000 })
    const { commands, next } = decide(sessionMachine, parked, itsTime)
    assert.strictEqual(nameOf(next), "turning.queued")
    assert.containSubset(commands, [{ type: "openTurn", params: { turn: 2 } }, { type: "takeSlot" }])
    assert.deepStrictEqual(next.context.limit, { failures: 1, pauseMillis: 0, until: 0 })
  })

  it("waits until the agent's own time where it told one, for a day at most", () => {
    const pauseOf = (retryAt: number) => {
      const running = run(fresh, submit(1, 600_000), ...up)
      const { next } = decide(sessionMachine, running, usedUp(1, 1_000, retryAt))
      const { arm } = decide(sessionMachine, run(next, exited), gone)
      return arm.map(({ delayMillis }) => delayMillis)
    }
    assert.deepStrictEqual(pauseOf(301_000), [300_000])
    assert.deepStrictEqual(pauseOf(7 * 24 * 3_600_000), [24 * 3_600_000])
    // A time that has passed is none.
    assert.deepStrictEqual(pauseOf(500), [60_000])
  })

  it("is waited for by nobody whose own deadline comes first", () => {
    const running = run(fresh, submit(1, 600_000), ...up, submit(2, 59_999), submit(3, 60_000))
    const { commands, next } = decide(sessionMachine, running, usedUp(1, 1_000))
    const settled = commands.flatMap((command) => (command.type === "settleQueued" ? [command.params] : []))
    assert.deepStrictEqual(
      settled.flatMap(({ turns }) => turns),
      [2]
    )
    assert.containSubset(settled.at(-1), { failure: { class: "quota" } })
    assert.deepStrictEqual(next.context.queue, [{ turn: 3, timeoutMillis: 60_000 }])
  })

  it("takes a turn that asks to wait, where that is no longer than its deadline, also while it retires", () => {
    const running = run(fresh, submit(1, 600_000), ...up)
    for (const snapshot of [run(running, usedUp(1, 1_000)), run(running, usedUp(1, 1_000), ...away)]) {
      assert.isTrue(decide(sessionMachine, snapshot, submit(2, 60_000, 1_000)).handled)
      assert.isFalse(decide(sessionMachine, snapshot, submit(2, 50_000, 1_000)).handled)
      assert.isTrue(decide(sessionMachine, snapshot, submit(2, 50_000, 11_000)).handled)
      assert.isFalse(decide(sessionMachine, snapshot, submit(2, 600_000, 1_000, false)).handled)
    }
    let full = parkedWith()
    for (let turn = 2; turn < 2 + longestQueue; turn++) full = run(full, submit(turn, 600_000, 1_000))
    assert.isFalse(decide(sessionMachine, full, submit(99, 600_000, 1_000)).handled)
  })

  it("is left alone for longer each time, until a turn ends well", () => {
    let snapshot = parkedWith()
    const pauses: Array<number> = []
    for (let turn = 2; turn < 10; turn++) {
      pauses.push(snapshot.context.limit.pauseMillis / 60_000)
      snapshot = run(snapshot, itsTime, submit(turn, 1), ...up, usedUp(turn, 0), ...away)
    }
    assert.deepStrictEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60])
    assert.strictEqual(run(snapshot, itsTime, submit(10, 1), ...up, endedWell(10)).context.limit.failures, 0)
  })

  it("is tried at once where an operator says so", () => {
    const { next } = decide(sessionMachine, parkedWith(submit(2, 600_000)), { type: "unpark.requested" })
    assert.deepStrictEqual([nameOf(next), next.context.limit.failures], ["turning.queued", 0])
  })

  it("ends with its session, and those who waited with it", () => {
    const { commands, next } = decide(sessionMachine, parkedWith(submit(2, 600_000)), {
      type: "close.requested",
      reason: "asked for"
    })
    assert.strictEqual(nameOf(next), "closed")
    assert.containSubset(commands, [
      { type: "settleQueued", params: { turns: [2], failure: { class: "interrupted" } } }
    ])
  })

  it("is remembered where Troupe dies while the process goes", () => {
    const retiring = run(fresh, submit(1, 600_000), ...up, submit(2, 600_000), usedUp(1, 1_000))
    const failure = { class: "outcome_unknown", message: "Troupe died" } as const
    const { arm, next } = decide(sessionMachine, retiring, { type: "process.lost", failure })
    assert.strictEqual(nameOf(next), "idle.parked")
    assert.deepStrictEqual(
      arm.map(({ delayMillis }) => delayMillis),
      [60_000]
    )
  })

  it("may be told by a start as well", () => {
    const starting = run(fresh, submit(1, 600_000), submit(2, 600_000), { type: "slot.granted" })
    const failure = { class: "quota", message: "used up" } as const
    const parked = run(starting, { type: "process.failed", failure, at: 1_000, jitter: 0 }, { type: "process.gone" })
    assert.deepStrictEqual([nameOf(parked), parked.context.queue.length], ["idle.parked", 1])
    assert.deepStrictEqual(parked.context.restarts.exits, [])
  })
})
