/** One turn among others, and the conversation that it is a part of. */
import { assert, describe, it } from "@effect/vitest"
import { decide } from "../../machines/decide.ts"
import { created, sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { endedWell, exited, fresh, gone, granted, nameOf, ready, run, submit } from "./story.ts"

describe("an interrupt of one turn", () => {
  const interrupt = (turn: number): SessionEvent => ({ type: "interrupt.requested", reason: "asked for", turn })
  const line = run(fresh, submit(1), granted, ready(), submit(2), submit(3))

  it("takes it out of the line, where it waits, and touches no other", () => {
    const { commands, next } = decide(sessionMachine, line, interrupt(2))
    assert.strictEqual(nameOf(next), "turning.running")
    assert.deepStrictEqual(commands, [
      { type: "settleQueued", params: { turns: [2], failure: { class: "interrupted", message: "asked for" } } }
    ])
    assert.deepStrictEqual(
      next.context.queue.map(({ turn }) => turn),
      [3]
    )
  })

  it("is the running one's where it runs, and nobody's where it is over", () => {
    assert.strictEqual(nameOf(run(line, interrupt(1))), "turning.interrupting")
    assert.isFalse(decide(sessionMachine, line, interrupt(7)).handled)
  })
})

describe("a turn of a session that was about to wake again", () => {
  const refused = (urgent: boolean): SessionEvent => ({ type: "slot.refused", reason: "no process is free", urgent })
  const itsTime = { type: "xstate.after.backoff.session.idle.backingOff" } as unknown as SessionEvent
  const waking = run(fresh, submit(1), granted, ready(), endedWell(1), exited, gone, itsTime)

  it("waits for its own slot, also where the refusal of the earlier request comes only now", () => {
    assert.strictEqual(nameOf(waking), "idle.waking")
    const queued = run(waking, submit(2))
    assert.strictEqual(nameOf(queued), "turning.queued")
    assert.isFalse(decide(sessionMachine, queued, refused(false)).handled)
    assert.strictEqual(nameOf(run(queued, granted)), "turning.starting")
    assert.strictEqual(nameOf(run(queued, refused(true))), "idle.asleep")
  })

  it("else goes to sleep", () => {
    assert.strictEqual(nameOf(run(waking, refused(false))), "idle.asleep")
  })
})

describe("an interrupted turn whose agent dies", () => {
  const interrupt: SessionEvent = { type: "interrupt.requested", reason: "asked for" }
  const died = { class: "crash", message: "it died" } as const
  const ended: SessionEvent = { type: "turn.ended", turn: 1, stopReason: "error", failure: died, at: 0 }
  const running = run(fresh, submit(1), granted, ready())

  it.each([
    { who: "the process", event: exited },
    { who: "its driver", event: ended }
  ])("is interrupted, as it was asked to be, whoever tells of it first: $who", ({ event }) => {
    const { commands, next } = decide(sessionMachine, run(running, interrupt), event)
    assert.match(nameOf(next), /^retiring\./)
    const settled = commands.find(({ type }) => type === "settleTurn")
    assert.deepInclude(settled?.params, { turn: 1, status: "interrupted", stopReason: "cancelled", failure: died })
  })

  it("has failed where nobody asked for an interrupt", () => {
    const settled = decide(sessionMachine, running, ended).commands.find(({ type }) => type === "settleTurn")
    assert.deepInclude(settled?.params, { status: "failed", failure: died })
  })
})

describe("a conversation in which nothing was said", () => {
  const sleep: SessionEvent = { type: "hibernate.requested", reason: "pool" }
  const resumes = (snapshot: SessionSnapshot) => {
    const { commands } = decide(sessionMachine, snapshot, granted)
    return commands.find((command) => command.type === "startProcess")?.params.thread
  }

  it("is begun anew, since there is nothing to resume and nothing to lose", () => {
    const interrupt: SessionEvent = { type: "interrupt.requested", reason: "asked for" }
    const silent = run(fresh, submit(1), granted, interrupt, ready("t"), sleep, exited, gone, submit(2))
    assert.strictEqual(nameOf(silent), "turning.queued")
    assert.isNull(resumes(silent))
    const spoken = run(silent, granted, ready("u"), endedWell(2), sleep, exited, gone, submit(3))
    assert.strictEqual(resumes(spoken), "u")
  })
})

describe("another agent", () => {
  const chosen: SessionEvent = { type: "agent.chosen", agent: "other", settings: {} }

  it("is taken until a turn has come, or where a conversation is to go on, not at all", () => {
    assert.strictEqual(nameOf(run(fresh, chosen, chosen)), "idle.asleep")
    const submitted = run(fresh, chosen, submit(1))
    const ended = run(submitted, granted, ready(), endedWell(1))
    for (const later of [submitted, ended, created(sessionMachine, "a thread")]) {
      assert.isFalse(later.can(chosen), nameOf(later))
    }
  })
})

describe("settings that are changed", () => {
  const change: SessionEvent = { type: "settings.changed", settings: { permissions: "deny" } }
  const interrupt: SessionEvent = { type: "interrupt.requested", reason: "asked for" }

  it("are those of every turn that comes after, also where a process is just coming up with the former ones", () => {
    const coming = run(fresh, submit(1), granted, interrupt)
    assert.strictEqual(nameOf(coming), "idle.waking")
    for (const later of [
      run(coming, change, submit(2)),
      run(fresh, submit(1), granted, change, interrupt, submit(2))
    ]) {
      assert.strictEqual(nameOf(later), "retiring.killing")
      const next = run(later, gone)
      assert.strictEqual(nameOf(next), "turning.queued")
      assert.strictEqual(next.context.turn, 2)
    }
  })

  it("have the process of before end, and the one after it stay", () => {
    const renewed = run(fresh, submit(1), granted, ready(), endedWell(1), change)
    assert.match(nameOf(renewed), /^retiring\./)
    const asleep = run(renewed, exited, gone)
    assert.deepStrictEqual([nameOf(asleep), asleep.context.stale], ["idle.asleep", false])
    assert.strictEqual(nameOf(run(asleep, submit(2), granted, ready(), endedWell(2))), "idle.awake")
  })

  it("leave a process alone that is not there yet", () => {
    const crashed = run(fresh, submit(1), granted, ready(), exited, gone)
    assert.strictEqual(nameOf(run(crashed, change)), nameOf(crashed))
  })
})
