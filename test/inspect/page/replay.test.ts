/** Time travel: the page's replay of stored steps, compared with what production decided. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import { changes, pathOf } from "../../../src/inspect/page/session/model/value.ts"
import { eventful, rang, stored, submitted, turns } from "./harness.ts"

const json = (snapshot: object) => JSON.parse(JSON.stringify(snapshot)) as unknown

describe("a replay", () => {
  it("rebuilds the snapshot after every step, in any order", () => {
    const { snapshots, steps } = stored(eventful)
    const replay = new Replay(sessionMachine)
    replay.append(steps)
    for (const count of [17, 0, 9, 3, 16, 8, 1])
      assert.deepStrictEqual(json(replay.at(count)), json(snapshots[count] ?? {}), `after ${count}`)
    assert.deepStrictEqual(
      replay.steps.filter(({ drift }) => drift !== null),
      []
    )
  })

  it("reaches any of thousands of steps by way of its checkpoints", () => {
    const { snapshots, steps } = stored(turns(2_000))
    const replay = new Replay(sessionMachine)
    replay.append(steps.slice(0, 1_234))
    replay.append(steps)
    assert.strictEqual(replay.steps.length, steps.length)
    for (const count of [99, 100, 101, 2_345, steps.length, steps.length - 1])
      assert.deepStrictEqual(json(replay.at(count)), json(snapshots[count] ?? {}), `after ${count}`)
  })

  it("applies a step once, however often it is received", () => {
    const { steps } = stored(eventful)
    const replay = new Replay(sessionMachine)
    replay.append(steps)
    replay.append(steps.slice(-3))
    assert.strictEqual(replay.steps.length, steps.length)
  })

  it("reports a stored state that this machine would not reach, and continues from the stored state", () => {
    const { steps } = stored(eventful)
    const odd = steps.map((step) => (step.seq === 6 ? { ...step, to: "retiring.asking" } : step))
    const replay = new Replay(sessionMachine)
    replay.append(odd)
    assert.match(replay.steps[5]?.drift ?? "", /goes to idle\.awake, but retiring\.asking was stored/)
    assert.strictEqual(pathOf(replay.at(6).value), "retiring.asking")
  })

  it("reports missing steps, events that this machine would refuse, and commands that differ", () => {
    const { steps } = stored(eventful)
    const driftsOf = (some: typeof steps) => {
      const replay = new Replay(sessionMachine)
      replay.append(some)
      return replay.steps.map(({ drift }) => drift)
    }
    assert.match(driftsOf(steps.filter(({ seq }) => seq !== 2))[1] ?? "", /The step before this one can't be had/)
    const refused = steps.map((step) =>
      step.seq === 2 ? { ...step, event: { type: "unpark.requested" }, to: step.from } : step
    )
    assert.match(driftsOf(refused)[1] ?? "", /draws no arrow for unpark\.requested in turning\.queued/)
    const orders = steps.map((step) => (step.seq === 2 ? { ...step, commands: [] } : step))
    assert.match(driftsOf(orders)[1] ?? "", /orders startProcess, but nothing was stored/)
  })

  it("continues past a state that this machine does not know", () => {
    const { steps } = stored(turns(2))
    const replay = new Replay(sessionMachine)
    replay.append(steps.map((step) => (step.seq === 4 ? { ...step, to: "idle.dreaming" } : step)))
    assert.match(replay.steps[3]?.drift ?? "", /idle\.dreaming was stored/)
    assert.strictEqual(replay.steps.length, steps.length)
  })

  it("has the transitions of a step, through states that are only passed", () => {
    const { steps } = stored([
      ...eventful,
      [400, submitted(4)],
      [400, { type: "slot.granted" }],
      [401, { type: "process.ready", thread: "thread", at: 0 }],
      [402, { ...submitted(5), queue: true } as ReturnType<typeof submitted>],
      [403, { type: "turn.ended", turn: 4, stopReason: "end_turn", failure: null, at: 0 }]
    ])
    const replay = new Replay(sessionMachine)
    replay.append(steps)
    assert.deepStrictEqual(replay.steps.at(-1)?.taken, [
      { from: "turning.running", to: "idle.awake", event: "turn.ended", guard: "endedWell" },
      { from: "idle.awake", to: "turning.running", event: "always", guard: "hasQueued" }
    ])
    assert.deepStrictEqual(replay.steps[9]?.taken, [
      { from: "idle.backingOff", to: "idle.waking", event: "after backoff", guard: null }
    ])
    assert.deepStrictEqual(replay.steps.at(-2)?.taken, [
      { from: "turning", to: "turning", event: "turn.submitted", guard: "canQueueBehindTurn" }
    ])
  })

  it("has the timers that a step armed and cancelled", () => {
    const replay = new Replay(sessionMachine)
    replay.append(stored(eventful).steps)
    assert.deepStrictEqual(
      replay.steps[8]?.arm.map(({ event }) => event.type),
      [(rang("backoff", "idle.backingOff") as { readonly type: string }).type]
    )
    assert.deepStrictEqual(replay.steps[12]?.cancel, ["xstate.after.hibernateAfter.session.idle.awake"])
  })
})

describe("the changes between two contexts", () => {
  it("are listed leaf by leaf, without those where one side is redacted", () => {
    assert.deepStrictEqual(
      changes({ a: 1, b: { c: [1], d: "x" }, e: "[redacted: 3 characters]" }, { a: 1, b: { c: [1, 2] }, e: "abc" }),
      [
        { path: "b.c", before: [1], after: [1, 2] },
        { path: "b.d", before: "x", after: undefined }
      ]
    )
  })
})
