/** What a session waits for, in each state of the machine. */
import { assert, describe, it } from "@effect/vitest"
import type { AnyStateNode } from "xstate"
import { sessionMachine } from "../../machines/session/machine.ts"
import { stateInfo } from "../../machines/session/stateInfo.ts"
import { waitOf } from "../../src/inspect/wait.ts"
import type { WaitingSession } from "../../src/inspect/wait.ts"

const leavesOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> =>
  Object.values(node.states).length === 0 ? [node] : Object.values(node.states).flatMap(leavesOf)

const at = (substate: string, patch: Partial<WaitingSession> = {}): WaitingSession => ({
  substate,
  since: 1_700_000_000_500,
  turn: 3,
  process: true,
  asks: null,
  next: null,
  ...patch
})

describe("what a session waits for", () => {
  it("is known for every state of the machine, and for no other", () => {
    const leaves = leavesOf(sessionMachine.root).map(({ path }) => path.join("."))
    assert.deepStrictEqual(Object.keys(stateInfo).toSorted(), leaves.toSorted())
    for (const leaf of leaves) assert.notMatch(waitOf(at(leaf)).what, /^what leads out of/)
  })

  it("names the turn, the question, and since when", () => {
    assert.deepStrictEqual(waitOf(at("turning.running")), {
      what: "the end of turn 3",
      who: "agent",
      since: 1_700_000_000.5,
      next: null,
      tool: null
    })
    assert.strictEqual(waitOf(at("turning.asking", { asks: "rm -rf build" })).what, "an answer to: rm -rf build")
    const tools = [
      { title: "pytest -q\n  --maxfail 1", since: 1_700_000_000_500 },
      { title: "sleep 1", since: 1_700_000_001_000 }
    ]
    assert.deepInclude(waitOf(at("turning.running", { tools })), {
      what: "the end of `pytest -q --maxfail 1`, which its agent runs in turn 3",
      tool: { title: "pytest -q\n  --maxfail 1", since: 1_700_000_000.5, more: 1 }
    })
    // The tool waits for the same answer.
    assert.isNull(waitOf(at("turning.asking", { tools })).tool)
    assert.strictEqual(
      waitOf(at("turning.queued", { line: { place: 2, waiting: 3 } })).what,
      "a free process slot, as number 2 of 3 in line"
    )
    assert.strictEqual(waitOf(at("turning.tomorrow")).what, "what leads out of turning.tomorrow")
  })

  it("includes where every timer of the machine leads", () => {
    const leads = (process: boolean) =>
      Object.fromEntries(
        [sessionMachine.root, ...Object.values(sessionMachine.root.states)]
          .flatMap((node): ReadonlyArray<AnyStateNode> => [node, ...leavesOf(node)])
          .flatMap((node) => [...node.transitions.keys()])
          .filter((event) => event.startsWith("xstate.after."))
          .map((timer) => [
            timer.slice("xstate.after.".length),
            waitOf(at("idle.awake", { process, next: { timer, dueAt: 1_700_000_001_000 } })).next?.to
          ])
      )
    assert.containSubset(leads(true), {
      "hibernateAfter.session.idle.awake": "retiring.asking",
      "backoff.session.idle.backingOff": "idle.waking",
      "parkFor.session.idle.parked": "idle.asleep",
      "turnWithin.session.turning": "retiring.asking",
      "startWithin.session.idle.waking": "retiring.killing",
      "interruptAgain.session.turning.interrupting": null,
      "terminateWithin.session.retiring.terminating": "retiring.killing"
    })
    assert.containSubset(leads(false), {
      "turnWithin.session.turning": "idle.asleep",
      "startWithin.session.idle.waking": "idle.asleep"
    })
  })

  it("names a timer as the chart does, and the two that are not the machine's", () => {
    const next = (timer: string) => waitOf(at("turning.running", { next: { timer, dueAt: 1_700_000_001_250 } })).next
    assert.deepStrictEqual(next("xstate.after.turnWithin.session.turning"), {
      timer: "turnWithin",
      at: 1_700_000_001.25,
      to: "retiring.asking"
    })
    assert.containSubset(next("approval apr_x"), { timer: "approvalTimeout", to: "turning.running" })
    assert.containSubset(next("quiet"), { timer: "postToolQuiet", to: "turning.probing" })
  })
})
