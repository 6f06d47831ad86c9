/** The frames of `troupe top`: pure functions, tested without a terminal, at the sizes that terminals have. */
import { assert, describe, it } from "@effect/vitest"
import { sessionMachine } from "../../machines/session/machine.ts"
import { cut, encode, fit, fitLine, lineWidth, textOf, visible, widthOf, wrap } from "../../src/cli/top/cells.ts"
import { arrowsFrom, flatChart, treeChart } from "../../src/cli/top/chart.ts"
import { makeModel, moved, withEvent } from "../../src/cli/top/Model.ts"
import type { Model } from "../../src/cli/top/Model.ts"
import { render } from "../../src/cli/top/render.ts"
import { noFilter } from "../../src/inspect/client/rows.ts"
import type { Approval, SessionRow } from "../../src/inspect/contract.ts"
import type { Detail, TranscriptEvent } from "../../src/inspect/sessionContract.ts"

const now = 1_700_000_000

const rowOf = (id: string, substate: string, more: Partial<SessionRow> = {}): SessionRow => ({
  session_id: id,
  app: "web",
  agent: "demo",
  state: substate.split(".")[0] as SessionRow["state"],
  substate,
  created_at: now - 125,
  last_activity_at: now - 5,
  closed_at: null,
  turns: 3,
  restarts: 1,
  total_tokens: 12_345,
  wait: {
    what: "the end of turn 3",
    who: "agent",
    since: now - 30,
    next: { timer: "turnWithin", at: now + 67, to: "retiring" }
  },
  ...more
})

const detailOf = (row: SessionRow): Detail => ({
  ok: true,
  session: {
    ...row,
    cwd: "/work",
    model: null,
    permissions: "ask",
    thread_id: null,
    meta: {},
    usage: {
      input_tokens: 0,
      cached_input_tokens: 0,
      output_tokens: 0,
      reasoning_tokens: 0,
      total_tokens: row.total_tokens
    },
    cost: null
  },
  snapshot: { value: row.substate, context: { reason: "" } },
  last_step: 9,
  last_event: 9,
  why: { sentence: "", wait: row.wait!, awaited: [], last_byte_at: now - 4, queued: 2 },
  timers: [{ timer: "turnWithin", event: "xstate.after.turnWithin.session.turning.running", due_at: now + 67 }],
  owed: [],
  budget: { intensity: 5, period_seconds: 60, deaths: [], left: 5, backoff: null, parked: null },
  process: { pid: 4711, state: "ready", up_since: now - 100 },
  refused: [],
  turns: [],
  approvals: [],
  processes: []
})

const chunkEvent = (seq: number, text: string): TranscriptEvent => ({
  seq,
  turn: 1,
  at: now - 10 + seq,
  message: {
    method: "session/update",
    params: { update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } }
  }
})

const modelWith = (rows: ReadonlyArray<SessionRow>, change: (model: Model) => void = () => {}): Model => {
  const model = makeModel("http://127.0.0.1:8420")
  const counts = { idle: 0, turning: 0, retiring: 0, closed: 0 }
  for (const { state } of rows) counts[state] += 1
  model.rows.expect(noFilter)
  const page = {
    ok: true,
    count: rows.length,
    counts,
    agents: [],
    apps: [],
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

describe("cells", () => {
  it("show control characters of an agent and send none", () => {
    assert.strictEqual(visible("a\u001b[2Jb\r\nc\u202ed\u009be\u007f"), "a␛[2Jb⏎c‹202e›d‹9b›e␡")
    const all = visible(String.fromCodePoint(...Array.from({ length: 0xa0 }, (_, n) => n)))
    // oxlint-disable-next-line no-control-regex -- none of them is to be left
    assert.notMatch(all, /[\u0000-\u001f\u007f-\u009f]/)
  })

  it("count wide and combining characters, and are cut to a width", () => {
    assert.deepStrictEqual(["abc", "日本", "e\u0301", "🎭"].map(widthOf), [3, 4, 1, 2])
    assert.strictEqual(cut("日本語", 5), "日本…")
    assert.strictEqual(fit("7", 3, "right"), "  7")
    assert.strictEqual(lineWidth(fitLine([{ text: "日本", style: "red" }], 3)), 3)
  })

  it("wrap between words, break a word that is too long for a line, and mark what is cut", () => {
    assert.deepStrictEqual(wrap("one two three", 8, 5), ["one two", "three"])
    assert.deepStrictEqual(wrap("abcdefghij", 4, 5), ["abcd", "efgh", "ij"])
    assert.deepStrictEqual(wrap("one two three four", 5, 2), ["one", "two…"])
  })

  it("have colours only where they are enabled", () => {
    const line = [{ text: "x", style: "red" as const }]
    assert.strictEqual(encode(line, false), "x")
    assert.include(encode(line, true), "\u001b[31m")
  })
})

describe("the machine as text", () => {
  const leaves = Object.values(sessionMachine.root.states).flatMap(({ states }) => Object.values(states))

  it("marks each state that a session can rest in, in both forms", () => {
    assert.isAbove(leaves.length, 10)
    for (const leaf of leaves) {
      for (const chart of [flatChart, treeChart]) {
        const lit = chart(leaf.path.join("."))
          .map(textOf)
          .join("\n")
          .match(/\[\w+\]/g)
        assert.deepStrictEqual(lit, [`[${leaf.key}]`])
      }
    }
    assert.strictEqual(flatChart("closed").map(textOf).at(-1)?.trim(), "[closed]")
  })

  it("lists the arrows out of a state with guards and delays, timers first", () => {
    const arrows = arrowsFrom("retiring.killing", (delay) => (delay === "killAgain" ? "0:04" : null)).map(textOf)
    assert.strictEqual(arrows[0], "after killAgain 0:04 ↺")
    assert.include(arrows, "process.gone [isClosing] → closed")
    const gone = arrows.filter((arrow) => arrow.startsWith("process.gone"))
    assert.strictEqual(gone.at(-1), "process.gone → idle.asleep", "what is left where no guard holds")
    assert.include(arrows, "close.requested ↺", "what its parent draws is there too")
  })
})

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
        now,
        boot: "b",
        bounds: { pool_wait_millis: 1, hibernate_after_millis: 1, restart_intensity: 1, restart_period_millis: 1 }
      }
    })
    const drawn = picture(model, 80, 24)
    assert.match(drawn, /http:\/\/127\.0\.0\.1:8420 +admin +● live/)
    assert.match(drawn, /○ idle 0 ● turning 1 ◐ retiring 0 · closed 0/)
    assert.match(drawn, /● running +running0 demo +web +2m +3 +1 12\.3k the end of tur… 1:07/)
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
      settled_at: null
    }
    model.approvals = [approval]
    model.mode = { name: "approvals" }
    assert.match(picture(model, 80, 24), /Choose one/)
    model.approval = "apr_1"
    const drawn = picture(model, 80, 24)
    assert.match(drawn, /execute +9s rm -rf build +1:00/)
    assert.match(drawn, /"command": "rm -rf build\\u001b\[1A"/)
    assert.match(drawn, / 1 ask \(a\)/)
  })
})

describe("the model", () => {
  it("keeps the last events, each once and in order", () => {
    const empty = { id: "ses_a", detail: null, events: [], problem: null }
    const full = Array.from({ length: 1_000 }, (_, n) => chunkEvent(n + 1, "x")).reduce(withEvent, empty)
    const { events } = withEvent(full, chunkEvent(1_000, "again"))
    assert.deepStrictEqual([events.length, events[0]?.seq, events.at(-1)?.seq], [400, 601, 1_000])
  })

  it("moves within a list, and into it", () => {
    const list = ["a", "b", "c"]
    assert.deepStrictEqual(
      [moved(list, "a", 1), moved(list, "c", 1), moved(list, null, 1), moved(list, "b", -9), moved([], null, 1)],
      ["b", "c", "a", "a", null]
    )
    assert.strictEqual(moved(list, "a", Number.POSITIVE_INFINITY), "c")
  })
})
