/** The transcript: pieces of ACP put together, and an agent that sends nonsense. */
import { assert, describe, it } from "@effect/vitest"
import type { TranscriptEvent, Turn } from "../../../src/inspect/contract.ts"
import { Transcript, withPrompts } from "../../../src/inspect/client/transcript.ts"

let seq = 0
const event = (message: unknown, turn: number | null = 1): TranscriptEvent => {
  seq += 1
  return { seq, turn, at: seq, message }
}
const update = (sessionUpdate: string, rest: object, turn = 1) =>
  event(
    { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update: { sessionUpdate, ...rest } } },
    turn
  )
const said = (text: string, messageId = "m", turn = 1) =>
  update("agent_message_chunk", { content: { type: "text", text }, messageId }, turn)

const itemsOf = (...events: ReadonlyArray<TranscriptEvent>) => {
  const transcript = new Transcript()
  transcript.append(events)
  return transcript.items
}

const turn = (index: number, submitted_at: number, prompt: string): Turn => ({
  index,
  kind: "prompt",
  status: "completed",
  prompt,
  submitted_at,
  ended_at: null,
  stop_reason: null,
  total_tokens: 0,
  tool_iterations: 0,
  failure: null
})

describe("a transcript", () => {
  it("joins the pieces of a message, and parts messages, turns and kinds", () => {
    const items = itemsOf(said("Hel"), said("lo"), said("Next", "n"), said("Later", "n", 2))
    assert.deepStrictEqual(
      items.map((item) => (item.kind === "message" ? item.text : item.kind)),
      ["Hello", "Next", "Later"]
    )
    assert.strictEqual((items[0]?.until ?? 0) - (items[0]?.at ?? 0), 1)
  })

  it("keeps what looks like HTML as it came", () => {
    const [item] = itemsOf(said("<script>alert(1)</script>"))
    assert.strictEqual(item?.kind === "message" ? item.text : "", "<script>alert(1)</script>")
  })

  it("shows of a tool the last that was said of each part", () => {
    const items = itemsOf(
      update("tool_call", { toolCallId: "c", title: "ls", kind: "execute", status: "pending", rawInput: { a: 1 } }),
      said("meanwhile"),
      update("tool_call_update", { toolCallId: "c", status: "in_progress" }),
      update("tool_call_update", {
        toolCallId: "c",
        status: "completed",
        content: [
          { type: "content", content: { type: "text", text: "out" } },
          { type: "diff", path: "/f", oldText: "a\n", newText: "b\n" }
        ]
      })
    )
    assert.strictEqual(items.length, 2)
    const [tool] = items
    assert.deepInclude(tool, {
      kind: "tool",
      title: "ls",
      tool: "execute",
      status: "completed",
      input: '{\n  "a": 1\n}',
      output: "out\n/f\n- a\n+ b"
    })
  })

  it("tells the states, the ends of turns, plans and what it has no word for", () => {
    const items = itemsOf(
      event({
        method: "_troupe/state",
        params: { from: "idle.awake", to: "turning.running", event: "turn.submitted" }
      }),
      update("plan", { entries: [{ content: "First", status: "completed" }, "nonsense"] }),
      update("current_mode_update", { modeId: "ask" }),
      event({ id: 1, result: { stopReason: "end_turn" } }),
      event({ id: 2, error: { code: -1, message: "It died" } }),
      event("nonsense"),
      event(null)
    )
    assert.deepStrictEqual(
      items.map(({ kind }) => kind),
      ["state", "plan", "other", "end", "end", "other", "other"]
    )
    assert.deepInclude(items[3], { ok: true, text: "end turn" })
    assert.deepInclude(items[4], { ok: false, text: "It died" })
  })

  it("hears an event once, and gives a new list when something came", () => {
    const first = said("Once")
    const transcript = new Transcript()
    transcript.append([first])
    const before = transcript.items
    transcript.append([first])
    assert.strictEqual(transcript.items.length, 1)
    transcript.append([said("more")])
    assert.notStrictEqual(transcript.items, before)
    assert.deepInclude(before[0], { text: "Once" })
  })

  it("puts each prompt before what its turn brought, and those that brought nothing yet at the end", () => {
    const items = itemsOf(said("answer"))
    const at = items[0]?.at ?? 0
    const all = withPrompts(items, [turn(1, at, "question"), turn(2, at + 1, "waiting")])
    assert.deepStrictEqual(
      all.map((item) => ("text" in item ? item.text : "")),
      ["question", "answer", "waiting"]
    )
  })
})
