/** What the time axis shows of a session: its lanes, its timers, and where its time went. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { Detail } from "../../../src/inspect/sessionContract.ts"
import { timeByState, tokensByTurn } from "../../../src/inspect/page/session/model/costs.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import { armedAfter, timerSpans } from "../../../src/inspect/page/session/model/timers.ts"
import { takeoverWords } from "../../../src/inspect/page/session/model/owners.ts"
import { instantsOf, lanesOf } from "../../../src/inspect/page/session/time/lanes.ts"
import { eventful, start, stored } from "./harness.ts"

const replayOf = (script: typeof eventful) => {
  const replay = new Replay(sessionMachine)
  replay.append(stored(script).steps)
  return replay.steps
}

/** What the lanes read of a detail. */
const detail = {
  session: { created_at: start - 5, substate: "idle.asleep", closed_at: null, node: "oslo" },
  timers: [],
  turns: [
    {
      index: 1,
      kind: "prompt",
      status: "failed",
      prompt: "",
      submitted_at: start,
      ended_at: start + 6,
      stop_reason: "error",
      total_tokens: 40,
      tool_iterations: 2,
      failure: { class: "crash", message: "" }
    }
  ],
  approvals: [
    {
      title: "rm -rf build",
      status: "answered",
      decision: "deny",
      decided_by: "a person",
      created_at: start + 1,
      settled_at: start + 5
    }
  ],
  processes: [
    { generation: 1, started_at: start, ended_at: start + 11, exit: "exit code 3", is_failure: true, death: null }
  ],
  owners: [
    { epoch: 1, node: "berlin", at: start - 4, after_step: 0, before: null },
    { epoch: 2, node: "oslo", at: start + 12, after_step: 9, before: "silent" }
  ]
} as unknown as Detail

describe("a session's timers", () => {
  it("are armed, and then fire or are disarmed", () => {
    const spans = timerSpans(replayOf(eventful), [])
    const described = spans.map(
      ({ endedAt, name, rang }) => `${name} ${endedAt === null ? "runs" : rang ? "rang" : "off"}`
    )
    assert.include(described, "backoff rang")
    assert.include(described, "poolWait off")
    assert.include(described, "hibernateAfter rang")
    assert.strictEqual(described.filter((each) => each.endsWith("runs")).length, 0)
    const slept = spans.find(({ name, rang }) => name === "hibernateAfter" && rang)
    assert.closeTo((slept?.dueAt ?? 0) - (slept?.armedAt ?? 0), 300, 1e-6)
  })

  it("are known for any moment, and those that are armed now have the ledger's deadline", () => {
    const steps = replayOf(eventful.slice(0, 6))
    assert.deepStrictEqual(
      armedAfter(steps, 4)
        .map(({ name }) => name)
        .toSorted(),
      ["turnWithin"]
    )
    const [timer] = steps[5]?.arm ?? []
    const moved = timerSpans(steps, [{ timer: "hibernateAfter", event: timer?.id ?? "", due_at: 7 }])
    assert.strictEqual(moved.find(({ endedAt }) => endedAt === null)?.dueAt, 7)
  })
})

describe("the lanes of a session", () => {
  const lanes = lanesOf({ detail, steps: replayOf(eventful), transcript: [], samples: [] })
  const lane = (name: string) => lanes.find((each) => each.name === name)

  it("say what is not here, and nothing of it that is not known", () => {
    const first = replayOf(eventful).slice(0, 3)
    const present = { ...detail, why: { wait: { since: start + 500 } } } as unknown as Detail
    const part = lanesOf({
      detail: present,
      steps: first,
      transcript: [],
      samples: [],
      isRebuilding: true,
      absentBefore: start + 400
    })
    const bars = part.find(({ name }) => name === "state")?.bars.slice(-2)
    assert.deepStrictEqual(
      bars?.map(({ from, label, to }) => [label, from, to]),
      [
        ["being rebuilt", first.findLast(({ step }) => step.from !== step.to)?.step.at, start + 500],
        ["idle.asleep", start + 500, null]
      ]
    )
    for (const name of ["text", "tools"]) {
      const [absent] = part.find((each) => each.name === name)?.bars ?? []
      assert.deepInclude(absent, { from: start - 5, to: start + 400, tone: "quiet" })
    }
  })

  it("show its states without a gap from its creation on", () => {
    const bars = lane("state")?.bars ?? []
    assert.strictEqual(bars[0]?.from, start - 5)
    assert.isTrue(bars.every(({ from }, n) => n === 0 || from === bars[n - 1]?.to))
    assert.deepInclude(bars.at(-1), { label: "idle.asleep", to: null, tone: "idle" })
    assert.deepInclude(bars[4], { label: "turning.asking", tone: "asking" })
  })

  it("show turns, answers and deaths in words", () => {
    assert.strictEqual(lane("turns")?.bars[0]?.label, "turn 1: failed, crash")
    assert.strictEqual(lane("approvals")?.bars[0]?.label, "rm -rf build: deny by a person")
    assert.strictEqual(lane("process")?.marks[0]?.label, "process 1: exit code 3")
    assert.strictEqual(lane("steps")?.marks[9]?.label, "step 10: the wait is over")
  })

  it("show which node had it, and who took it over from whom", () => {
    assert.deepStrictEqual(lane("node")?.bars, [
      { from: start - 4, to: start + 12, label: "berlin, epoch 1", tone: "quiet" },
      { from: start + 12, to: null, label: "oslo, epoch 2", tone: "quiet" }
    ])
    assert.deepStrictEqual(lane("node")?.marks, [
      { at: start + 12, label: "oslo took it over from berlin, which gave no sign of life any more", tone: "bad" }
    ])
    const alone = lanesOf({ detail: { ...detail, owners: [] }, steps: [], transcript: [], samples: [] })
    assert.isUndefined(alone.find(({ name }) => name === "node"))
  })

  it("say of a node that it took its own session again", () => {
    const [owner] = detail.owners
    for (const [before, words] of [
      ["left", "berlin took it again after it had left"],
      ["silent", "berlin took it again after it had died"],
      ["released", "berlin took it again after it had let go of it"],
      [null, "berlin took it again"]
    ] as const)
      assert.strictEqual(takeoverWords(owner!, { ...owner!, before }), words)
  })

  it("give the axis every moment", () => {
    const instants = instantsOf(lanes)
    assert.include(instants, start - 5)
    assert.include(instants, start + 11.4)
  })
})

describe("where the time went", () => {
  it("adds up to the session's lifetime, the longest state first", () => {
    const spent = timeByState(detail, replayOf(eventful), start + 400)
    assert.closeTo(
      spent.reduce((sum, { seconds }) => sum + seconds, 0),
      405,
      1e-6
    )
    assert.closeTo(
      spent.reduce((sum, { share }) => sum + share, 0),
      1,
      1e-9
    )
    assert.strictEqual(spent[0]?.path, "idle.awake")
    assert.strictEqual(spent.find(({ path }) => path === "turning.running")?.visits, 4)
  })

  it("ends when the session is closed", () => {
    const closed = replayOf([[10, { type: "close.requested", reason: "" }]])
    assert.deepStrictEqual(
      timeByState(detail, closed, start + 9_999).map(({ path, seconds }) => [path, seconds]),
      [["idle.asleep", 15]]
    )
  })

  it("shows a turn's tokens relative to the most expensive turn", () => {
    const [turn] = detail.turns
    const turns = turn === undefined ? [] : [turn, { ...turn, index: 2, total_tokens: 10, ended_at: null }]
    assert.deepStrictEqual(
      tokensByTurn(turns, start + 9).map(({ seconds, share }) => [share, seconds]),
      [
        [1, 6],
        [0.25, 9]
      ]
    )
  })
})
