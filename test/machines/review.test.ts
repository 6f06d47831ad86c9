import { assert, describe, it } from "@effect/vitest"
import { createActor } from "xstate"
import { getShortestPaths } from "xstate/graph"
import { begin, decide } from "../../machines/decide.ts"
import { defaultReviewBounds, reviewMachine, reviewMachineWith } from "../../machines/review/machine.ts"
import type { ReviewCommand, ReviewEvent, ReviewSnapshot } from "../../machines/review/machine.ts"
import { drawnBy, edgesOf, leavesOf, timersOf } from "./chart.ts"

const used = (inputTokens: number) => ({
  inputTokens,
  cachedInputTokens: 1,
  outputTokens: 10,
  reasoningTokens: 2,
  totalTokens: inputTokens + 10
})

/** Bounds that are reached within a few steps, so that every way of using them up is walked. */
const machine = reviewMachineWith({ ...defaultReviewBounds, iterations: 3, inputTokens: 1_000 })

const events = [
  { type: "snapshot.taken", hosted: false, inputTokens: 100 },
  { type: "snapshot.taken", hosted: false, inputTokens: 2_000 },
  { type: "snapshot.taken", hosted: true, inputTokens: 0 },
  { type: "snapshot.failed", reason: "no messages" },
  { type: "model.answered", calls: 2, usage: used(100) },
  { type: "model.answered", calls: 1, usage: used(800) },
  { type: "model.answered", calls: 0, usage: used(100) },
  { type: "model.failed", reason: "HTTP 500" },
  { type: "tools.finished" },
  { type: "tools.failed", reason: "the store is gone" },
  { type: "host.finished" },
  { type: "host.failed", reason: "the host said no" },
  { type: "cancel.requested", reason: "a turn began" },
  { type: "work.stopped" },
  ...timersOf(machine)
] as ReadonlyArray<ReviewEvent>

const gist = ({ context, value }: ReviewSnapshot) => JSON.stringify([value, context])
const nameOf = ({ value }: { readonly value: unknown }): string =>
  typeof value === "string"
    ? value
    : Object.entries(value as object)
        .flat()
        .join(".")

const paths = getShortestPaths(machine, {
  events,
  limit: 100_000,
  serializeState: (snapshot) => gist(snapshot as ReviewSnapshot),
  // An answer that arrives while it stops may be counted once; more of them teach nothing.
  stopWhen: ({ context }) => context.usage.totalTokens > 3_000
})

const lineageOf = (path: string) => ["", ...path.split(".").map((_, n, parts) => parts.slice(0, n + 1).join("."))]

describe("review machine", () => {
  it("reaches every state it declares", () => {
    const reached = new Set(paths.map((path) => nameOf(path.state)))
    assert.deepStrictEqual(
      [...leavesOf(machine)].filter((leaf) => !reached.has(leaf)),
      []
    )
  })

  it("takes every arrow it draws", () => {
    const taken = new Set<string>()
    for (const { state } of paths) {
      for (const event of events) {
        for (const arrow of machine.getTransitionData(state as ReviewSnapshot, event)) {
          const from = arrow.source.path.join(".")
          taken.add(`${from} ${event.type} ${(arrow.source.transitions.get(event.type) ?? []).indexOf(arrow)}`)
        }
      }
    }
    const drawn = drawnBy(machine)
    assert.isAbove(drawn.length, 20)
    assert.deepStrictEqual(
      drawn.filter((arrow) => !taken.has(arrow)),
      []
    )
  })

  it("draws no arrow that the directed graph does not know", () => {
    assert.strictEqual(edgesOf(machine).length, drawnBy(machine).length)
  })

  it("lands by decide, event for event, where the path says, and createActor agrees", () => {
    for (const path of paths) {
      let snapshot = begin(machine, undefined).next
      const actor = createActor(machine, { clock: { setTimeout: () => 0, clearTimeout: () => {} } }).start()
      for (const { event } of path.steps.slice(1)) {
        snapshot = decide(machine, snapshot, event as ReviewEvent).next
        actor.send(event as ReviewEvent)
      }
      assert.strictEqual(gist(snapshot), gist(path.state as ReviewSnapshot))
      assert.deepStrictEqual(actor.getSnapshot().context, snapshot.context)
      assert.deepStrictEqual(actor.getSnapshot().value, snapshot.value)
    }
  })

  it("refuses every pair of state and event that is not drawn, and changes nothing by it", () => {
    const drawn = new Set(drawnBy(machine).map((arrow) => arrow.split(" ").slice(0, 2).join(" ")))
    let refused = 0
    for (const { state } of paths) {
      for (const event of events) {
        if (lineageOf(nameOf(state)).some((name) => drawn.has(`${name} ${event.type}`))) continue
        const decision = decide(machine, state as ReviewSnapshot, event)
        assert.isFalse(decision.handled, `${nameOf(state)} handled ${event.type}`)
        assert.strictEqual(decision.next, state as ReviewSnapshot)
        assert.deepStrictEqual([decision.commands, decision.arm, decision.cancel], [[], [], []])
        refused++
      }
    }
    assert.isAbove(refused, 100)
  })

  it("ends with the ending that its last state is named for, and says why unless it completed", () => {
    const endings = { completed: "completed", cancelled: "cancelled", failed: "failed", overBudget: "over_budget" }
    const finals = paths.filter(({ state }) => state.status === "done")
    assert.isAbove(finals.length, 4)
    for (const { state } of finals) {
      assert.strictEqual(state.context.ending, endings[state.value as keyof typeof endings])
      assert.strictEqual(state.context.reason === "", state.value === "completed", JSON.stringify(state.context))
    }
  })

  it("stops from every state of work when it is cancelled, and has ended 1.5 s later whatever is still at work", () => {
    const atWork = paths.filter(({ state }) => nameOf(state).startsWith("working."))
    assert.isAbove(atWork.length, 4)
    for (const { state } of atWork) {
      const stopping = decide(machine, state as ReviewSnapshot, { type: "cancel.requested", reason: "a turn began" })
      assert.deepStrictEqual(stopping.commands, [{ type: "stopWork", params: {} }])
      assert.deepStrictEqual(
        stopping.arm.map(({ delayMillis }) => delayMillis),
        [1_500]
      )
      const [timer] = stopping.arm
      const ended = decide(machine, stopping.next, timer?.event as ReviewEvent)
      assert.strictEqual(ended.next.value, "cancelled")
      assert.strictEqual(ended.next.context.reason, "a turn began")
    }
  })
})

const walk = (events: ReadonlyArray<ReviewEvent>, from = begin(reviewMachine, undefined).next) => {
  const commands: Array<ReviewCommand> = []
  let snapshot = from
  for (const event of events) {
    const decision = decide(reviewMachine, snapshot, event)
    commands.push(...decision.commands)
    snapshot = decision.next
  }
  return { snapshot, commands }
}

describe("the bounds of a review", () => {
  const start: ReviewEvent = { type: "snapshot.taken", hosted: false, inputTokens: 1_000 }
  const round = (inputTokens: number): ReadonlyArray<ReviewEvent> => [
    { type: "model.answered", calls: 1, usage: used(inputTokens) },
    { type: "tools.finished" }
  ]

  it("make sixteen calls and no seventeenth, and carry out what the sixteenth wants", () => {
    const { commands, snapshot } = walk([start, ...Array.from({ length: 20 }, () => round(1_000)).flat()])
    assert.strictEqual(commands.filter(({ type }) => type === "callModel").length, 16)
    assert.strictEqual(commands.filter(({ type }) => type === "runTools").length, 16)
    assert.strictEqual(snapshot.value, "overBudget")
    assert.match(snapshot.context.reason, /made 16 calls/)
    assert.strictEqual(snapshot.context.usage.inputTokens, 16_000)
  })

  it("make no call that would take it over 600,000 input tokens", () => {
    const { commands, snapshot } = walk([start, ...Array.from({ length: 4 }, () => round(200_000)).flat()])
    assert.strictEqual(commands.filter(({ type }) => type === "callModel").length, 2)
    assert.strictEqual(snapshot.value, "overBudget")
    assert.strictEqual(snapshot.context.usage.inputTokens, 400_000)
    const huge = walk([{ ...start, inputTokens: 600_001 }])
    assert.strictEqual(huge.snapshot.value, "overBudget")
    assert.isFalse(huge.commands.some(({ type }) => type === "callModel"))
  })

  it("count an answer that was on its way when it was cancelled, and do nothing of what it wants", () => {
    const { commands, snapshot } = walk([
      start,
      { type: "cancel.requested", reason: "a turn began" },
      { type: "model.answered", calls: 3, usage: used(500) },
      { type: "work.stopped" }
    ])
    assert.strictEqual(snapshot.value, "cancelled")
    assert.strictEqual(snapshot.context.usage.inputTokens, 500)
    assert.isFalse(commands.some(({ type }) => type === "runTools"))
  })
})
