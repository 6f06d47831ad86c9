/** The frames of `troupe top`: pure functions, tested without a terminal, at the sizes that terminals have. */
import { assert, describe, it } from "@effect/vitest"
import { lineWidth, textOf } from "../../src/cli/top/cells.ts"
import { makeModel } from "../../src/cli/top/Model.ts"
import type { Model } from "../../src/cli/top/Model.ts"
import { render } from "../../src/cli/top/render.ts"
import { noFilter } from "../../src/inspect/client/rows.ts"
import type { Approval, SessionRow } from "../../src/inspect/contract.ts"
import type { TranscriptEvent } from "../../src/inspect/sessionContract.ts"
import { chunkEvent, detailOf, now, rowOf } from "./top.session.ts"

const modelWith = (rows: ReadonlyArray<SessionRow>, change: (model: Model) => void = () => {}): Model => {
  const model = makeModel("http://127.0.0.1:8420")
  const counts = { idle: 0, turning: 0, retiring: 0, closed: 0 }
  for (const { state } of rows) counts[state] += 1
  model.rows.expect(noFilter)
  const page = {
    ok: true,
    count: rows.length,
    is_bounded: false,
    counts,
    substates: {},
    agents: [],
    apps: [],
    nodes: [],
    sessions: rows,
    next_cursor: null
  } as const
  model.rows.page(page, true)
  model.isLoading = false
  model.phase = { name: "live" }
  model.selected = rows[0]?.session_id ?? null
  change(model)
  return model
}

const opened =
  (row: SessionRow, events: ReadonlyArray<TranscriptEvent> = []) =>
  (model: Model) => {
    model.opened = { id: row.session_id, detail: detailOf(row), events, problem: null }
  }

const picture = (model: Model, columns: number, rows: number): string =>
  render(model, { columns, rows, now })
    .map((line) => textOf(line).trimEnd())
    .join("\n")

const running = rowOf("ses_running00000000000000000000", "turning.running")

describe("the screen", () => {
  it("fills each size exactly, whatever is on it", () => {
    const events = [chunkEvent(1, "日本語 ".repeat(90)), chunkEvent(2, "\u001b]0;title\u0007 ".repeat(40))]
    const model = modelWith([running, rowOf("ses_b", "idle.asleep")], opened(running, events))
    for (const mode of ["table", "help", "approvals"] as const) {
      model.mode = { name: mode }
      for (const [columns, rows] of [
        [20, 5],
        [40, 8],
        [80, 24],
        [99, 31],
        [160, 50],
        [300, 80]
      ] as const) {
        const lines = render(model, { columns, rows, now })
        assert.deepStrictEqual([lines.length, ...new Set(lines.map(lineWidth))], [rows, columns])
        // oxlint-disable-next-line no-control-regex -- none of them is to be on a screen
        for (const line of lines) assert.notMatch(textOf(line), /[\u0000-\u001f\u007f-\u009f]/)
      }
    }
  })

  it("shows in 80x24 the user, the counts, the row with its wait, the machine, the reason and the last words", () => {
    const model = modelWith([running], (model) => {
      opened(running, [chunkEvent(1, "Hello "), chunkEvent(2, "world")])(model)
      model.me = {
        ok: true,
        admin: true,
        app: null,
        version: "0.1.0",
        node: null,
        now,
        boot: "b",
        bounds: { pool_wait_millis: 1, hibernate_after_millis: 1, restart_intensity: 1, restart_period_millis: 1 }
      }
    })
    const drawn = picture(model, 80, 24)
    assert.match(drawn, /http:\/\/127\.0\.0\.1:8420 +admin +● live/)
    assert.match(drawn, /○ idle 0 ● turning 1 ◐ retiring 0 · closed 0/)
    assert.match(drawn, /● running +running0 +demo +web +2m +3 +1 12\.3k the end .*… 1:07/)
    assert.match(drawn, /pid 4711, up 1m, 2 in line/)
    assert.match(drawn, /Waits for the end of turn 3 \(30 s so far\)\. Its agent was last heard 4 s ago\./)
    assert.match(drawn, / turning .*\[running\]/)
    assert.match(drawn, /after turnWithin 1:07 \[hasProcess\] → retiring/)
    assert.match(drawn, /agent +Hello world/)
    assert.match(drawn, /q quit +1 session$/)
  })

  it("shows the tree, the arrows and the words side by side where it is wide", () => {
    const drawn = picture(modelWith([running], opened(running, [chunkEvent(1, "Hello")])), 160, 50)
    assert.match(drawn, /machine +out of turning\.running +last events/)
    assert.match(drawn, /├─ \[running\]/)
    assert.match(drawn, /● turning running +ses_running0{20} +demo.*the end of turn 3 \(the agent\) +1:07 → retiring/)
  })

  it("shows a session's cost in its title, where its agent reports it and the screen is wide", () => {
    const model = modelWith([running], (model) => {
      const detail = detailOf(running)
      const session = { ...detail.session, cost: { amount: 0.0011, currency: "USD" } }
      model.opened = { id: running.session_id, detail: { ...detail, session }, events: [], problem: null }
    })
    assert.match(picture(model, 160, 50), /pid 4711, up 1m, 2 in line, 12\.3k tokens, 0\.0011 USD ─/)
    assert.notInclude(picture(model, 80, 24), "USD")
    assert.notInclude(picture(modelWith([running], opened(running)), 160, 50), "USD")
  })

  it("takes an agent's newest message as the time it was last heard, also where the detail is older", () => {
    const drawn = picture(modelWith([running], opened(running, [chunkEvent(9, "Hello")])), 80, 24)
    assert.match(drawn, /last heard 1 s ago/)
  })

  it("keeps the cursor's row visible in a long table", () => {
    const rows = Array.from({ length: 500 }, (_, n) => rowOf(`ses_${String(n).padStart(8, "0")}`, "idle.asleep"))
    const model = modelWith(rows)
    for (const n of [0, 250, 499]) {
      model.selected = rows[n]!.session_id
      assert.include(picture(model, 80, 24), String(n).padStart(8, "0"))
    }
  })

  it("shows the state of the connection, and counts down to the next attempt", () => {
    const model = modelWith([running])
    model.phase = { name: "catching-up" }
    assert.match(picture(model, 80, 24), /catching up$/m)
    const problem = { status: 0, error: "unreachable", title: "No answer", detail: "" }
    model.phase = { name: "lost", retryAt: (now + 7) * 1000, problem }
    assert.match(picture(model, 80, 24), /connection lost, tries again in 0:07$/m)
  })

  it("names the session of a confirmation, and shows an approval whole before it is answered", () => {
    const model = modelWith([running])
    model.mode = { name: "confirm", order: "close", id: "ses_other" }
    assert.match(picture(model, 80, 24), /Close ses_other\? +y yes, any other key no$/)
    const approval: Approval = {
      approval_id: "apr_1",
      session_id: "ses_a",
      app: "web",
      agent: "demo",
      turn: 2,
      kind: "execute",
      title: "rm -rf build",
      raw: { command: "rm -rf build\u001b[1A" },
      created_at: now - 9,
      deadline_at: now + 60,
      status: "pending",
      decision: null,
      decided_by: null,
      settled_at: null,
      fields: null,
      answers: null
    }
    model.approvals = [approval]
    model.mode = { name: "approvals" }
    assert.match(picture(model, 80, 24), /Choose one/)
    model.approval = "apr_1"
    const drawn = picture(model, 80, 24)
    assert.match(drawn, /execute +9s rm -rf build +1:00/)
    assert.match(drawn, /"command": "rm -rf build\\u001b\[1A"/)
    assert.match(drawn, / 1 ask \(a\)/)
    const label = "Which colour?\u001b[1A"
    const options = [{ value: "r", label: "Red" }]
    const fields = [{ id: "c", label, type: "choice", options, other: true, required: false }] as const
    model.approvals = [{ ...approval, kind: "question", fields }]
    const question = picture(model, 80, 24)
    assert.match(question, /Answer it in the dashboard, in troupe chat or over HTTP; d declines it\./)
    assert.match(question, /Which colour\?␛\[1A \(choice, optional\)\n +· Red\n +· or anything else/)
  })
})
