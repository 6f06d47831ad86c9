/** Steps of many sessions, counted on the chart of their machine. */
import { assert, describe, it } from "@effect/vitest"
import { begin, decide } from "../../../machines/decide.ts"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { readChart } from "../../../src/inspect/chart/read.ts"
import { heatOf } from "../../../src/inspect/page/machine/heat.ts"
import { pathOf } from "../../../src/inspect/page/session/model/value.ts"
import { events, gist } from "../../machines/walk.ts"

const chart = readChart(sessionMachine)

const step = (from: string, event: string, to: string, n = 1) => ({ from, event, to, n })

describe("heatOf", () => {
  it("counts a step for the arrow of its event, with a delay by its name", () => {
    const heat = heatOf(chart, [
      step("idle.asleep", "turn.submitted", "turning.queued", 3),
      step("idle.awake", "xstate.after.hibernateAfter.session.idle.awake", "retiring.asking", 2)
    ])
    assert.strictEqual(heat.counts.get("idle.asleep turning")?.all, 3)
    assert.deepStrictEqual([...(heat.counts.get("idle.awake retiring")?.ways ?? [])], [["after hibernateAfter", 2]])
    assert.deepStrictEqual(
      [...heat.visits],
      [
        ["turning.queued", 3],
        ["retiring.asking", 2],
        // No step into the state was counted, but one out of it, so it was entered.
        ["idle.asleep", 3],
        ["idle.awake", 2]
      ]
    )
    assert.deepStrictEqual([heat.steps, heat.strange.length], [5, 0])
    assert.strictEqual(heat.ways.filter(({ count }) => count > 0).length, 2)
  })

  it("counts a step for the parent state's arrow where it is drawn there, and for an arrow without target where it stays", () => {
    const heat = heatOf(chart, [
      step("turning.running", "process.lost", "idle.asleep"),
      step("turning.running", "turn.submitted", "turning.running")
    ])
    assert.strictEqual(heat.counts.get("turning idle.asleep")?.all, 1)
    assert.strictEqual(heat.counts.get("turning turning")?.all, 1)
    assert.deepStrictEqual(heat.strange, [])
  })

  it("follows a step through states that it only passed", () => {
    const heat = heatOf(chart, [step("turning.running", "turn.ended", "turning.running", 4)])
    assert.strictEqual(heat.counts.get("turning.running idle.awake")?.all, 4)
    assert.deepStrictEqual([...(heat.counts.get("idle.awake turning.running")?.ways ?? [])], [["always", 4]])
  })

  it("reports steps that the chart does not draw", () => {
    const strange = step("idle.asleep", "approval.asked", "turning.asking", 7)
    const gone = step("idle.dreaming", "turn.submitted", "turning.queued")
    const heat = heatOf(chart, [strange, gone])
    assert.deepStrictEqual(heat.strange, [strange, gone])
    assert.strictEqual(heat.counts.size, 0)
  })

  it("does not report ignored events as drift", () => {
    assert.deepStrictEqual(heatOf(chart, [step("retiring.killing", "process.exited", "retiring.killing")]).strange, [])
  })

  it("finds a way for every step that the machine can take, and a step for every way but those that only a guard tells apart", () => {
    const first = begin(sessionMachine, undefined).next
    const seen = new Map([[gist(first), first]])
    const taken = new Map<string, ReturnType<typeof step>>()
    for (const snapshot of seen.values()) {
      if (snapshot.context.approvals.length > 2 || snapshot.context.queue.length > 1) continue
      for (const event of events) {
        const { handled, next } = decide(sessionMachine, snapshot, event)
        if (!handled) continue
        const [from, to] = [pathOf(snapshot.value), pathOf(next.value)]
        taken.set(`${from} ${event.type} ${to}`, step(from, event.type, to))
        if (!seen.has(gist(next))) seen.set(gist(next), next)
      }
    }
    const heat = heatOf(chart, [...taken.values()])
    assert.isAbove(taken.size, 80)
    assert.deepStrictEqual(heat.strange, [])
    assert.deepStrictEqual(
      heat.ways.filter(({ count }) => count === 0).map(({ event, from, to }) => `${from} ${event} ${to}`),
      // An interrupt that leads to the start of the next turn looks like one that takes that turn out of the queue.
      ["idle.waking always turning.starting", "idle.waking always turning"]
    )
  })
})
