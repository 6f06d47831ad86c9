/** The transcript: pieces of ACP joined into items, also of an agent that sends nonsense. */
import { pretty } from "../../../src/inspect/client/content.ts"
import { assert, describe, it } from "@effect/vitest"
import type { TranscriptEvent, Turn } from "../../../src/inspect/sessionContract.ts"
import { Transcript, withPrompts } from "../../../src/inspect/client/Transcript.ts"

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
const message = (text: string, messageId = "m", turn = 1) =>
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
  cost: null,
  tool_iterations: 0,
  failure: null,
  can_fork: false,
  repeated_as: null
})

describe("a transcript", () => {
  it("joins the pieces of a message, and separates messages, turns and kinds", () => {
    const items = itemsOf(message("Hel"), message("lo"), message("Next", "n"), message("Later", "n", 2))
    assert.deepStrictEqual(
      items.map((item) => (item.kind === "message" ? item.text : item.kind)),
      ["Hello", "Next", "Later"]
    )
    assert.strictEqual((items[0]?.until ?? 0) - (items[0]?.at ?? 0), 1)
  })

  it("keeps text that looks like HTML unchanged", () => {
    const [item] = itemsOf(message("<script>alert(1)</script>"))
    assert.strictEqual(item?.kind === "message" ? item.text : "", "<script>alert(1)</script>")
  })

  it("shows the latest value of each field of a tool", () => {
    const items = itemsOf(
      update("tool_call", { toolCallId: "c", title: "ls", kind: "execute", status: "pending", rawInput: { a: 1 } }),
      message("meanwhile"),
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
      output: "out\n/f\n- a\n+ b",
      diffs: [{ path: "/f", before: "a\n", after: "b\n" }],
      beside: "out"
    })
  })

  it("has the updates of a turn's usage as one item, which breaks no answer that goes on around the later ones", () => {
    const items = itemsOf(
      update("usage_update", { used: 1, size: 10 }),
      message("One "),
      update("usage_update", { used: 2, size: 10 }),
      message("answer"),
      update("usage_update", { used: 3, size: 10 })
    )
    assert.deepStrictEqual(
      items.map(({ kind }) => kind),
      ["usage", "message"]
    )
    assert.deepInclude(items[0], { updates: 3, text: pretty({ used: 3, size: 10 }) })
    assert.deepInclude(items[1], { text: "One answer" })
  })

  it("contains states, ends of turns, plans, and events that it has no item for", () => {
    const items = itemsOf(
      event({
        method: "_troupe/state",
        params: { from: "idle.awake", to: "turning.running", event: "turn.submitted" }
      }),
      // The turns have their prompts, and the ends below them.
      event({ method: "_troupe/turn", params: { phase: "submitted", turn_index: 1, prompt: "hello" } }),
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

  it("says of a compaction that it was one", () => {
    const items = itemsOf(
      update("session_info_update", { _meta: { "troupe/compaction": "started" } }),
      update("session_info_update", { _meta: { "troupe/compaction": "completed" } }),
      update("session_info_update", { _meta: { "troupe/compaction": { not: "a word" } }, title: "A name" })
    )
    assert.deepStrictEqual(
      items.map((item) => (item.kind === "other" ? item.what : item.kind)),
      ["context is compacted", "context was compacted", "session info update"]
    )
  })

  it("takes an event once, and has a new list after each change", () => {
    const first = message("Once")
    const transcript = new Transcript()
    transcript.append([first])
    const before = transcript.items
    transcript.append([first])
    assert.strictEqual(transcript.items.length, 1)
    transcript.append([message("more")])
    assert.notStrictEqual(transcript.items, before)
    assert.deepInclude(before[0], { text: "Once" })
  })

  it("has the prompts of turns that the detail has no longer, from their submissions", () => {
    const transcript = new Transcript()
    const submitted = (seq: number, index: number, prompt: string): TranscriptEvent => ({
      seq,
      turn: index,
      at: index,
      message: {
        jsonrpc: "2.0",
        method: "_troupe/turn",
        params: { phase: "submitted", turn_index: index, kind: "prompt", prompt }
      }
    })
    transcript.append([submitted(9_001, 1, "first"), submitted(9_002, 2, "second"), submitted(9_003, 3, "third")])
    const all = withPrompts(transcript.items, [turn(3, 3, "third, as the detail has it")], transcript.prompts)
    assert.deepStrictEqual(
      all.map((item) => ("text" in item ? item.text : "")),
      ["first", "second", "third, as the detail has it"]
    )
  })

  it("puts each prompt before the items of its turn, and prompts without items at the end", () => {
    const items = itemsOf(message("answer"))
    const at = items[0]?.at ?? 0
    const all = withPrompts(items, [turn(1, at, "question"), turn(2, at + 1, "waiting")])
    assert.deepStrictEqual(
      all.map((item) => ("text" in item ? item.text : "")),
      ["question", "answer", "waiting"]
    )
  })
})
