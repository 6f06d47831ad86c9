import { assert, describe, it } from "@effect/vitest"
import { createActor } from "xstate"
import { getShortestPaths } from "xstate/graph"
import { begin, decide } from "../../machines/decide.ts"
import { longestQueue, sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { drawnBy, edgesOf, leavesOf } from "./chart.ts"
import { nameOf } from "./story.ts"
import { events, gist } from "./walk.ts"

const paths = getShortestPaths(sessionMachine, {
  events,
  limit: 100_000,
  serializeState: (snapshot) => gist(snapshot as SessionSnapshot),
  // Nothing more is to be learnt from approvals beyond a second one, or a line of more than one.
  stopWhen: (snapshot) => snapshot.context.approvals.length > 2 || snapshot.context.queue.length > 1
})
const leaves = leavesOf(sessionMachine)

describe("session machine", () => {
  it("reaches every state it declares", () => {
    const reached = new Set<string>(paths.map((path) => nameOf(path.state)))
    assert.deepStrictEqual(
      [...leaves].filter((leaf) => !reached.has(leaf)),
      []
    )
  })

  it("takes every arrow it draws", () => {
    const taken = new Set<string>()
    for (const { state } of paths) {
      const path = nameOf(state)
      const lineage = path.split(".").map((_, n, parts) => parts.slice(0, n + 1).join("."))
      for (const event of events) {
        const arrows = sessionMachine.getTransitionData(state as SessionSnapshot, event)
        for (const arrow of arrows) {
          const from = lineage.find((name) => `session.${name}` === arrow.source.id) ?? ""
          taken.add(`${from} ${event.type} ${(arrow.source.transitions.get(event.type) ?? []).indexOf(arrow)}`)
        }
      }
    }
    const drawn = drawnBy(sessionMachine)
    assert.isAbove(drawn.length, 70)
    assert.deepStrictEqual(
      drawn.filter((arrow) => !taken.has(arrow)),
      []
    )
  })

  it("has no turn without an outcome where it sleeps or is closed: recovery looks for such turns among the others", () => {
    for (const { state } of paths) {
      const { context } = state as SessionSnapshot
      if (!(state as SessionSnapshot).hasTag("unloadable")) continue
      assert.deepStrictEqual(
        [(state as SessionSnapshot).hasTag("turnOpen"), context.queue.length],
        [false, 0],
        nameOf(state)
      )
    }
  })

  it("draws no arrow that the directed graph does not know", () => {
    const graphed = edgesOf(sessionMachine).filter(({ event }) => event !== "")
    assert.strictEqual(graphed.length, drawnBy(sessionMachine).length)
  })

  it("lands by decide, event for event, where the path says, and createActor agrees", () => {
    for (const path of paths) {
      let snapshot = begin(sessionMachine, undefined).next
      const actor = createActor(sessionMachine, { clock: { setTimeout: () => 0, clearTimeout: () => {} } }).start()
      for (const { event } of path.steps.slice(1)) {
        snapshot = decide(sessionMachine, snapshot, event as SessionEvent).next
        actor.send(event as SessionEvent)
      }
      assert.strictEqual(gist(snapshot), gist(path.state as SessionSnapshot))
      assert.deepStrictEqual(actor.getSnapshot().context, snapshot.context)
      assert.deepStrictEqual(actor.getSnapshot().value, snapshot.value)
    }
  })

  it("refuses every pair of state and event that is not drawn, and changes nothing by it", () => {
    const drawn = new Set(drawnBy(sessionMachine).map((arrow) => arrow.split(" ").slice(0, 2).join(" ")))
    let refused = 0
    for (const { state } of paths) {
      const path = nameOf(state)
      const lineage = ["", ...path.split(".").map((_, n, parts) => parts.slice(0, n + 1).join("."))]
      for (const event of events) {
        if (lineage.some((name) => drawn.has(`${name} ${event.type}`))) continue
        const decision = decide(sessionMachine, state as SessionSnapshot, event)
        assert.isFalse(decision.handled, `${path} handled ${event.type}`)
        assert.strictEqual(decision.next, state as SessionSnapshot)
        assert.deepStrictEqual([decision.commands, decision.arm, decision.cancel], [[], [], []])
        refused++
      }
    }
    assert.isAbove(refused, 1_000)
  })

  it("settles each turn exactly once on every path, and never a turn that was not opened", () => {
    for (const path of paths) {
      let snapshot = begin(sessionMachine, undefined).next
      let open = 0
      for (const { event } of path.steps.slice(1)) {
        const decision = decide(sessionMachine, snapshot, event as SessionEvent)
        for (const command of decision.commands) {
          if (command.type === "openTurn") open++
          if (command.type === "settleTurn") open--
          assert.isAtLeast(open, 0, `settled twice by ${event.type}`)
        }
        snapshot = decision.next
        const turning = nameOf(snapshot).startsWith("turning")
        assert.strictEqual(open, turning ? 1 : 0, `${nameOf(snapshot)} after ${event.type}`)
      }
    }
  })

  it("is closed with an empty line, no process left", () => {
    for (const { state } of paths.filter(({ state }) => state.value === "closed")) {
      assert.deepStrictEqual(state.context.queue, [])
      assert.isFalse(state.context.process, JSON.stringify(state.context))
    }
  })
})

describe("the line", () => {
  it("takes one turn unasked while the process retires, and the next only where it asks to wait", () => {
    const submit = (turn: number, queue: boolean): SessionEvent => ({
      type: "turn.submitted",
      turn,
      timeoutMillis: 1,
      queue,
      at: 0
    })
    const retiring = (
      [
        submit(1, false),
        { type: "slot.granted" },
        { type: "process.ready", thread: "t", at: 0 },
        { type: "turn.ended", turn: 1, stopReason: "end_turn", failure: null, at: 0 },
        { type: "hibernate.requested", reason: "pool" },
        submit(2, false)
      ] as ReadonlyArray<SessionEvent>
    ).reduce((now, event) => decide(sessionMachine, now, event).next, begin(sessionMachine, undefined).next)
    assert.strictEqual(nameOf(retiring), "retiring.asking")
    assert.isFalse(decide(sessionMachine, retiring, submit(3, false)).handled)
    assert.isTrue(decide(sessionMachine, retiring, submit(3, true)).handled)
  })

  it("has a bound, and runs in order", () => {
    const submit = (turn: number): SessionEvent => ({
      type: "turn.submitted",
      turn,
      timeoutMillis: 1,
      queue: true,
      at: 0
    })
    let snapshot = begin(sessionMachine, undefined).next
    for (let turn = 1; turn <= longestQueue + 1; turn++) snapshot = decide(sessionMachine, snapshot, submit(turn)).next
    assert.isFalse(decide(sessionMachine, snapshot, submit(99)).handled)
    const second = (
      [
        { type: "slot.granted" },
        { type: "process.ready", thread: "t", at: 0 },
        { type: "turn.ended", turn: 1, stopReason: "end_turn", failure: null, at: 0 }
      ] as ReadonlyArray<SessionEvent>
    ).reduce((now, event) => decide(sessionMachine, now, event).next, snapshot)
    assert.strictEqual(nameOf(second), "turning.running")
    assert.strictEqual(second.context.turn, 2)
  })
})
