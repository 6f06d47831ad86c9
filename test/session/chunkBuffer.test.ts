/** The buffer that merges the chunks of an agent's messages. */
import { assert, describe, it } from "@effect/vitest"
import { ChunkBuffer } from "../../src/session/ChunkBuffer.ts"
import { subagentMessage, updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"

const id = SessionId.make("ses_chunks")
const say = (text: string, more: Partial<SessionUpdate> = {}) =>
  updateMessage("t", { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "a", ...more })

const textsOf = (events: ReadonlyArray<StoredEvent>) =>
  events.map(({ message }) => {
    const update = "method" in message && message.method === "session/update" ? message.params.update : null
    return (update?.["content"] as { readonly text?: string } | undefined)?.text ?? update?.sessionUpdate
  })

describe("the chunk buffer", () => {
  it("the chunk buffer merges the chunks of one message, and numbers events without a gap", () => {
    const buffer = new ChunkBuffer(id, 41)
    for (const word of ["one ", "two ", "three"]) buffer.append(1, say(word), 5)
    buffer.append(1, updateMessage("t", { sessionUpdate: "tool_call", toolCallId: "x" }), 6)
    buffer.append(1, say("four"), 7)
    const taken = buffer.take()
    assert.deepStrictEqual(textsOf(taken), ["one two three", "tool_call", "four"])
    assert.deepStrictEqual(
      taken.map(({ seq }) => seq),
      [42, 43, 44]
    )
    assert.deepStrictEqual([buffer.take(), buffer.waiting], [[], 0])
  })

  it("the chunk buffer keeps chunks apart that differ in message, turn, kind, content type or metadata", () => {
    const buffer = new ChunkBuffer(id, 0)
    buffer.append(1, say("a"), 0)
    buffer.append(1, say("b", { messageId: "b" }), 0)
    buffer.append(2, say("c", { messageId: "b" }), 0)
    buffer.append(2, say("d", { sessionUpdate: "agent_thought_chunk", messageId: "b" }), 0)
    buffer.append(2, say("e", { sessionUpdate: "agent_thought_chunk", messageId: "b", _meta: { x: 1 } }), 0)
    buffer.append(2, say("f", { sessionUpdate: "agent_thought_chunk", messageId: "b", content: { type: "image" } }), 0)
    assert.lengthOf(buffer.take(), 6)
  })

  it("the chunk buffer takes updates of its own kinds that an agent has written, whatever is in them", () => {
    const buffer = new ChunkBuffer(id, 0)
    const odd = JSON.parse('{"toString":1,"valueOf":1}') as object
    const content = { type: "text", text: "a" }
    const updates: ReadonlyArray<SessionUpdate> = [
      { sessionUpdate: "_troupe/subagent_update" },
      { sessionUpdate: "_troupe/subagent_update", update: null },
      { sessionUpdate: "_troupe/subagent_update", update: { sessionUpdate: "_troupe/subagent_update" } },
      {
        sessionUpdate: "_troupe/subagent_update",
        sessionId: odd,
        update: { sessionUpdate: "agent_message_chunk", content }
      },
      { sessionUpdate: "agent_message_chunk", messageId: odd, content },
      { sessionUpdate: "agent_message_chunk", content: null }
    ]
    for (const update of updates) buffer.append(1, updateMessage("t", update), 0)
    assert.deepStrictEqual(
      buffer.take().map(({ message }) => message),
      updates.map((update) => updateMessage("t", update))
    )
  })

  it("the chunk buffer merges the chunks of each sub-agent", () => {
    const buffer = new ChunkBuffer(id, 0)
    const chunk = (text: string): SessionUpdate => ({
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text }
    })
    for (const [child, text] of [
      ["a", "one "],
      ["a", "two"],
      ["b", "three"]
    ] as const) {
      buffer.append(1, subagentMessage("t", child, chunk(text)), 0)
    }
    assert.deepStrictEqual(
      buffer.take().map(({ message }) => message),
      [subagentMessage("t", "a", chunk("one two")), subagentMessage("t", "b", chunk("three"))]
    )
  })

  it("the chunk buffer marks what comes behind the end of its turn as late, and nothing else", () => {
    const buffer = new ChunkBuffer(id, 0)
    buffer.append(1, say("Hel"), 0)
    buffer.append(1, { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } }, 1)
    for (const turn of [1, 1, 2, null]) buffer.append(turn, say("lo"), 2)
    const late = buffer.take().map(({ message }) => ("method" in message ? (message.params["_meta"] ?? null) : "end"))
    assert.deepStrictEqual(late, [null, "end", { "troupe/late": true }, null, null])
  })
})
