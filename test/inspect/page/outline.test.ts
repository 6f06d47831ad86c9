/** The outline of a session's turns, and the way to what failed in it. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { Item } from "../../../src/inspect/client/Transcript.ts"
import { failedMoments, failureFrom, outlineOf } from "../../../src/inspect/page/session/model/outline.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import type { Turn } from "../../../src/inspect/sessionContract.ts"
import { eventful, start, stored } from "./harness.ts"

const replayOf = (script: typeof eventful) => {
  const replay = new Replay(sessionMachine)
  replay.append(stored(script).steps)
  return replay.steps
}

const turn = (index: number, from: number, to: number | null, more: Partial<Turn> = {}): Turn => ({
  index,
  kind: "prompt",
  status: "completed",
  prompt: `do  it\n${index}`,
  submitted_at: start + from,
  ended_at: to === null ? null : start + to,
  stop_reason: "end_turn",
  total_tokens: 0,
  cost: null,
  tool_iterations: 0,
  failure: null,
  can_fork: false,
  repeated_as: null,
  ...more
})

const tool = (turn: number, kind: string, status: string): Item => ({
  kind: "tool",
  key: `${turn}${kind}${status}`,
  turn,
  at: 0,
  until: 0,
  title: "",
  tool: kind,
  status,
  input: "",
  output: "",
  diffs: [],
  beside: ""
})

const crashed = { status: "failed", failure: { class: "crash", message: "" } } as const

describe("the outline of turns", () => {
  it("tells waiting from work: in line, for a process and for a person", () => {
    const steps = replayOf(eventful)
    const rows = outlineOf({
      steps,
      items: [],
      now: start + 400,
      turns: [turn(1, 0, 6), turn(2, 10, 11, crashed), turn(3, 60, 61), turn(4, 60.5, null)]
    })
    // 0.2 s for its process, 4 s for an answer.
    assert.closeTo(rows[0]?.waited ?? 0, 4.2, 0.001)
    assert.deepStrictEqual(
      rows.map(({ isFailed, seconds, words }) => [words, seconds, isFailed]),
      [
        ["do it 1", 6, false],
        ["do it 2", 1, true],
        ["do it 3", 1, false],
        ["do it 4", 339.5, false]
      ]
    )
    assert.closeTo(rows[1]?.waited ?? 1, 0, 0.001)
    // Behind the third until that ended, and no agent has had it since.
    assert.closeTo(rows[3]?.waited ?? 0, 339.5, 0.001)
  })

  it("counts tools by kind where they are known, and otherwise as the turn says", () => {
    const items = [tool(1, "read", "completed"), tool(1, "execute", "failed"), tool(1, "execute", "completed")]
    const [first, second] = outlineOf({
      steps: [],
      items,
      now: start,
      turns: [turn(1, 0, 1), turn(2, 1, 2, { tool_iterations: 5 })]
    })
    assert.deepStrictEqual(first?.tools, {
      count: 3,
      failed: 1,
      kinds: [
        ["execute", 2],
        ["read", 1]
      ]
    })
    assert.deepStrictEqual(second?.tools, { count: 5, failed: 0, kinds: [] })
  })

  it("finds what failed before and after a moment, and takes no normal end for a failure", () => {
    const moments = failedMoments(replayOf(eventful), [turn(1, 0, 6), turn(2, 10, 11, crashed)])
    // The last death is that of a process which was asked to go to sleep.
    assert.deepStrictEqual(moments, [{ count: 8, words: "turn 2 failed: crash" }])
    assert.strictEqual(failureFrom(moments, 17, "previous")?.count, 8)
    assert.strictEqual(failureFrom(moments, 0, "next")?.count, 8)
    assert.isUndefined(failureFrom(moments, 8, "next"))
    assert.isUndefined(failureFrom(moments, 8, "previous"))
  })
})
