/** The projection of updates that are no call of the model: notes, reports, and what belongs to another thread. */
import { assert, describe, it } from "@effect/vitest"
import { project } from "../../src/conversation/Projection.ts"
import { subagentMessage, updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { says, calls, ends, codexItem, eventsOf, good, projected, messagesOf } from "./events.ts"
import { turnRecord } from "./recorded.ts"

describe("an update that is no call of the model", () => {
  const contents = (...updates: ReadonlyArray<SessionUpdate>) => projected(...updates).map(({ content }) => content)

  it("a web search is a note that names its kind", () => {
    const rawInput = { query: "effect", action: { type: "search" } }
    const events = [...eventsOf(calls({ rawInput, ...codexItem({ type: "webSearch" }) }), ends()), good]
    const { messages, toolIterations } = project(turnRecord({}), events)
    assert.deepStrictEqual(messages.slice(1), [
      { role: "assistant", content: '[webSearch] {"action":{"type":"search"},"query":"effect"}' }
    ])
    assert.strictEqual(toolIterations, 0)
  })

  it("a plan is one note, with its last state", () =>
    assert.deepStrictEqual(
      contents({ sessionUpdate: "plan", entries: [{ content: "look", status: "pending" }] }, says("Looking."), {
        sessionUpdate: "plan",
        entries: [{ content: "look", status: "completed" }]
      }),
      ["Looking.", '[plan] {"entries":[{"content":"look","status":"completed"}]}']
    ))

  it("updates of an unknown kind are one note for each kind, and part no text", () => {
    const piece = (text: string): SessionUpdate => ({
      sessionUpdate: "compaction_summary_chunk",
      content: { type: "text", text }
    })
    const text = (text: string) => says(text, { messageId: undefined })
    const messages = projected(
      text("Hel"),
      piece("a "),
      text("lo"),
      piece("b"),
      { sessionUpdate: "vendor" },
      piece("c")
    )
    assert.deepStrictEqual(
      messages.map(({ content }) => content),
      ["Hello", '[compaction_summary_chunk] {"content":{"text":"a bc","type":"text"},"updates":3}', "[vendor] {}"]
    )
  })

  it("an item or an update of an unknown kind is a bounded note", () => {
    const payload = JSON.stringify({ type: "novelty", id: "1", z: 1 })
    const item = { sessionUpdate: "session_info_update", _meta: { "troupe/item": { type: "novelty", payload } } }
    const [novelty, unknown] = contents(item, { sessionUpdate: "hologram", text: "x".repeat(100_000) })
    assert.strictEqual(novelty, `[novelty] ${payload}`)
    assert.match(unknown!, /^\[hologram\] \{"text":"x+/)
    assert.isBelow(unknown!.length, 20_000)
  })

  it("information about a session and the echo of a prompt give no message", () =>
    assert.deepStrictEqual(
      contents(
        { sessionUpdate: "user_message_chunk", content: { type: "text", text: "hello" } },
        { sessionUpdate: "usage_update", used: 1, size: 2 },
        { sessionUpdate: "session_info_update", title: "t", _meta: { "troupe/warning": "w" } },
        { sessionUpdate: "notice", severity: "warning", title: "Careful" }
      ),
      []
    ))

  it("a compaction gives no message, but is reported, whoever made it", () => {
    const ours = { sessionUpdate: "session_info_update", _meta: { "troupe/compaction": "completed" } }
    const theirs = [calls({ kind: "think", title: "Compact conversation" }), ends()]
    for (const updates of [[ours], theirs]) {
      const { compacted, messages } = project(turnRecord({}), [...eventsOf(...updates), good])
      assert.deepStrictEqual([compacted, messages.length], [true, 1])
    }
  })

  it("an update of a call that never began gives no message", () =>
    assert.deepStrictEqual(projected(ends({ name: "t" })), []))

  it("the updates of a sub-agent give no message, in its parent's session or in another thread", () => {
    const _meta = { claudeCode: { toolName: "Read", parentToolUseId: "toolu_1" } }
    assert.deepStrictEqual(projected(calls({ name: "Read", _meta }), ends({ _meta })), [])
    const stranger = updateMessage("another thread", says("not ours"))
    const subagent = subagentMessage("thread", "another thread", says("not ours"))
    const events = [...eventsOf(says("ours")), stranger, subagent, good]
    assert.deepStrictEqual(messagesOf(events, { threadId: "thread" }), [{ role: "assistant", content: "ours" }])
  })
})
