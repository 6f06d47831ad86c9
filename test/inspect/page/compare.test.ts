/** Two moments of a session, and two sessions, beside each other. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../../machines/session/machine.ts"
import {
  compareMoments,
  compareSessions,
  partingOf,
  stepsBetween
} from "../../../src/inspect/page/session/model/compare.ts"
import { Replay } from "../../../src/inspect/page/session/model/replay.ts"
import type { Detail } from "../../../src/inspect/sessionContract.ts"
import { eventful, start, stored, turns } from "./harness.ts"

const replayed = (script: typeof eventful) => {
  const replay = new Replay(sessionMachine)
  replay.append(stored(script).steps)
  return replay
}

describe("two moments", () => {
  const replay = replayed(eventful)
  const moments = { steps: replay.steps, at: (count: number) => replay.at(count) }
  const differing = (a: number, b: number) =>
    compareMoments(moments, a, b)
      .filter(({ differs }) => differs)
      .map(({ name, a: before, b: after }) => `${name}: ${before} | ${after}`)

  it("differ in state, timers, turns and what the machine remembers", () => {
    // While the first turn runs, and after the second one's process has died.
    const found = differing(3, 8)
    assert.includeMembers(found, [
      "state: turning.running | retiring.killing",
      "timers: turnWithin (10 min) | killAgain (15 s)",
      "turns begun: 1 | 2",
      "turns ended: 0 | 2",
      "turn: 1 | 2",
      "crashed: false | true"
    ])
    assert.deepStrictEqual(
      stepsBetween(replay.steps, 8, 3).map(({ seq }) => seq),
      [4, 5, 6, 7, 8]
    )
  })

  it("that are the same differ in nothing", () => {
    assert.deepStrictEqual(differing(5, 5), [])
    assert.deepStrictEqual(stepsBetween(replay.steps, 5, 5), [])
  })
})

describe("two sessions", () => {
  it("part at the first step that differs by event, way or orders, or where one has no more", () => {
    const [one, other] = [stored(eventful).steps, stored(turns(3)).steps]
    assert.deepInclude(partingOf(one, other), { nth: 3, a: one[3], b: other[3] })
    assert.isNull(partingOf(one, one))
    assert.deepInclude(partingOf(one, one.slice(0, 5)), { nth: 5, a: one[5], b: undefined })
    // Times and ids are never the same.
    assert.isNull(
      partingOf(
        one,
        one.map((step) => ({ ...step, at: step.at + 5, event: { ...step.event, at: 7 } }))
      )
    )
  })

  it("are told by settings, outcome, turns, times and costs", () => {
    const session = {
      substate: "idle.awake",
      app: "desk",
      agent: "codex",
      model: "large",
      mode: null,
      effort: null,
      permissions: "ask",
      cwd: "/a",
      meta: {},
      last_outcome: { turn: 1, status: "completed", at: start, failure: null },
      turns: 1,
      restarts: 0,
      usage: { total_tokens: 10 },
      cost: { amount: 1, currency: "USD" },
      created_at: start,
      last_activity_at: start + 60
    }
    const turn = { submitted_at: start, ended_at: start + 5, tool_iterations: 2, status: "completed" }
    const a = { session, turns: [turn] } as unknown as Detail
    const failure = { class: "crash", message: "exit code 3" }
    const b = {
      session: {
        ...session,
        model: "small",
        cost: null,
        last_outcome: { ...session.last_outcome, status: "failed", failure }
      },
      turns: [{ ...turn, ended_at: start + 9, status: "failed" }]
    } as unknown as Detail
    assert.deepStrictEqual(
      compareSessions(a, b, start + 100)
        .filter(({ differs }) => differs)
        .map((row) => `${row.name}: ${row.a} | ${row.b}`),
      [
        "model: large | small",
        "last outcome: completed | failed: crash, exit code 3",
        "turns that failed: 0 | 1",
        "a turn's time, the middle one: 5.0 s | 9.0 s",
        "cost: 1.00 USD | –"
      ]
    )
  })
})
