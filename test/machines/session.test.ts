import { assert, describe, it } from "@effect/vitest"
import { createActor } from "xstate"
import { getShortestPaths } from "xstate/graph"
import { begin, decide } from "../../machines/decision.ts"
import { longestQueue, sessionMachine } from "../../machines/session.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session.ts"
import { drawnBy, edgesOf, leavesOf } from "./chart.ts"
import { crash, events, gist } from "./walk.ts"

const nameOf = ({ value }: { readonly value: unknown }): string =>
  typeof value === "string"
    ? value
    : Object.entries(value as object)
        .flat()
        .join(".")

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
    const reached = new Set(paths.map((path) => nameOf(path.state)))
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

describe("an interrupt of one turn", () => {
  const submit = (turn: number): SessionEvent => ({
    type: "turn.submitted",
    turn,
    timeoutMillis: 1,
    queue: true,
    at: 0
  })
  const interrupt = (turn: number): SessionEvent => ({ type: "interrupt.requested", reason: "asked for", turn })
  const line = [
    submit(1),
    { type: "slot.granted" } as const,
    { type: "process.ready", thread: "t", at: 0 } as const,
    submit(2),
    submit(3)
  ].reduce((now, event) => decide(sessionMachine, now, event).next, begin(sessionMachine, undefined).next)

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
    assert.strictEqual(nameOf(decide(sessionMachine, line, interrupt(1)).next), "turning.interrupting")
    assert.isFalse(decide(sessionMachine, line, interrupt(7)).handled)
  })
})

describe("a conversation in which nothing was said", () => {
  const submit = (turn: number): SessionEvent => ({
    type: "turn.submitted",
    turn,
    timeoutMillis: 1,
    queue: false,
    at: 0
  })
  const ready = (thread: string): SessionEvent => ({ type: "process.ready", thread, at: 0 })
  const granted: SessionEvent = { type: "slot.granted" }
  const sleep: ReadonlyArray<SessionEvent> = [{ type: "hibernate.requested", reason: "pool" }, { type: "process.gone" }]
  const killed: SessionEvent = { type: "process.exited", failure: crash, at: 0, jitter: 0 }
  const run = (snapshot: SessionSnapshot, ...events: ReadonlyArray<SessionEvent>) =>
    events.reduce((now, event) => decide(sessionMachine, now, event).next, snapshot)
  const resumes = (snapshot: SessionSnapshot) => {
    const { commands } = decide(sessionMachine, snapshot, granted)
    return commands.find((command) => command.type === "startProcess")?.params.thread
  }

  it("is begun anew, since there is nothing to resume and nothing to lose", () => {
    const silent = run(
      begin(sessionMachine, undefined).next,
      submit(1),
      granted,
      { type: "interrupt.requested", reason: "asked for" },
      ready("t"),
      sleep[0]!,
      killed,
      sleep[1]!,
      submit(2)
    )
    assert.strictEqual(nameOf(silent), "turning.queued")
    assert.isNull(resumes(silent))
    const ended: SessionEvent = { type: "turn.ended", turn: 2, stopReason: "end_turn", failure: null, at: 0 }
    const spoken = run(silent, granted, ready("u"), ended, sleep[0]!, killed, sleep[1]!, submit(3))
    assert.strictEqual(resumes(spoken), "u")
  })
})

describe("a used-up account", () => {
  const submit = (turn: number, timeoutMillis: number, at = 0, queue = true): SessionEvent => ({
    type: "turn.submitted",
    turn,
    timeoutMillis,
    queue,
    at
  })
  const usedUp = (turn: number, at: number, retryAt?: number): SessionEvent => ({
    type: "turn.ended",
    turn,
    stopReason: "error",
    failure: { class: "quota", message: "used up", ...(retryAt === undefined ? {} : { retryAt }) },
    at
  })
  const up: ReadonlyArray<SessionEvent> = [{ type: "slot.granted" }, { type: "process.ready", thread: "t", at: 0 }]
  const gone: ReadonlyArray<SessionEvent> = [
    { type: "process.exited", failure: crash, at: 0, jitter: 0 },
    { type: "process.gone" }
  ]
  const itsTime = { type: "xstate.after.parkFor.session.idle.parked" } as unknown as SessionEvent
  const run = (snapshot: SessionSnapshot, ...events: ReadonlyArray<SessionEvent>) =>
    events.reduce((now, event) => decide(sessionMachine, now, event).next, snapshot)
  const fresh = begin(sessionMachine, undefined).next
  const parkedWith = (...waiting: ReadonlyArray<SessionEvent>) =>
    run(fresh, submit(1, 600_000), ...up, ...waiting, usedUp(1, 1_000), ...gone)

  it("keeps who waits, retires the process, and hands nothing over until its time", () => {
    const parked = parkedWith(submit(2, 600_000))
    assert.deepStrictEqual([nameOf(parked), parked.context.process], ["idle.parked", false])
    assert.deepStrictEqual(parked.context.limit, { failures: 1, pauseMillis: 60_000, until: 61_000 })
    const { commands, next } = decide(sessionMachine, parked, itsTime)
    assert.strictEqual(nameOf(next), "turning.queued")
    assert.containSubset(commands, [{ type: "openTurn", params: { turn: 2 } }, { type: "takeSlot" }])
    assert.strictEqual(next.context.limit.until, 0)
  })

  it("waits until the agent's own time where it told one, for a day at most", () => {
    const pauseOf = (retryAt: number) => {
      const running = run(fresh, submit(1, 600_000), ...up)
      const { next } = decide(sessionMachine, running, usedUp(1, 1_000, retryAt))
      const exited = decide(sessionMachine, run(next, gone[0]!), gone[1]!)
      return exited.arm.map(({ delayMillis }) => delayMillis)
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
    for (const snapshot of [run(running, usedUp(1, 1_000)), run(running, usedUp(1, 1_000), ...gone)]) {
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
      snapshot = run(snapshot, itsTime, submit(turn, 1), ...up, usedUp(turn, 0), ...gone)
    }
    assert.deepStrictEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60])
    const well: SessionEvent = { type: "turn.ended", turn: 10, stopReason: "end_turn", failure: null, at: 0 }
    assert.strictEqual(run(snapshot, itsTime, submit(10, 1), ...up, well).context.limit.failures, 0)
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
    const failure = { class: "outcome_unknown", message: "Troupe died" }
    const { arm, next } = decide(sessionMachine, retiring, { type: "process.lost", failure })
    assert.strictEqual(nameOf(next), "idle.parked")
    assert.deepStrictEqual(
      arm.map(({ delayMillis }) => delayMillis),
      [60_000]
    )
  })

  it("may be told by a start as well", () => {
    const starting = run(fresh, submit(1, 600_000), submit(2, 600_000), { type: "slot.granted" })
    const failure = { class: "quota", message: "used up" }
    const parked = run(starting, { type: "process.failed", failure, at: 1_000, jitter: 0 }, { type: "process.gone" })
    assert.deepStrictEqual([nameOf(parked), parked.context.queue.length], ["idle.parked", 1])
    assert.deepStrictEqual(parked.context.restarts.exits, [])
  })
})
