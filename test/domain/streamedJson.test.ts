/** The JSON of a streamed event, put together from the one it was stored as: the same as that of the whole message, to the character. */
import { assert, describe, it } from "@effect/vitest"
import { lateMessage, subagentMessage, updateMessage } from "../../src/domain/Acp.ts"
import type { AcpMessage } from "../../src/domain/Acp.ts"
import { streamed, streamedJson } from "../../src/domain/events/StreamedMessage.ts"
import { troupeMessage } from "../../src/domain/events/troupeMessage.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { recorded } from "../conversation/recorded.ts"

const session = SessionId.make("ses_streamed")

const assertSame = (message: AcpMessage, turn: number | null, at: number) => {
  const stored = { session, seq: 7, turn, at, message }
  const expected = JSON.stringify(streamed(stored).message)
  assert.strictEqual(streamedJson(stored), expected)
  const json = JSON.stringify(message)
  assert.strictEqual(streamedJson({ ...stored, json }), expected)
  // As it is read from the ledger.
  assert.strictEqual(streamedJson({ ...stored, message: JSON.parse(json) as AcpMessage, json }), expected)
}

describe("the JSON of a streamed event", () => {
  it("is that of its message, for every message of the recorded traces", () => {
    for (const { turns } of recorded) {
      for (const { events, turn } of turns) for (const event of events) assertSame(event, turn.index, 1_234_567_890_123)
    }
  })

  it("is that of its message, whatever the message has and in whichever order", () => {
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: 'a "}}" \u2028' } }
    const plain = updateMessage("thread", update)
    const { jsonrpc, method, params } = plain
    const messages: ReadonlyArray<AcpMessage> = [
      plain,
      lateMessage(plain),
      subagentMessage("thread", "child", update),
      troupeMessage("context_lost", { reason: "why", before_turn: 1 }),
      { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } },
      { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "no", data: { class: "crash" } } },
      { params, jsonrpc, method },
      { jsonrpc, method, params: { ...params, _meta: { own: 1 } } },
      { jsonrpc, method, params: { _meta: { own: 1 }, ...params } },
      { jsonrpc, method, params, more: {} } as AcpMessage,
      { jsonrpc, method, params: { ...params, "1": {}, last: {} } } as AcpMessage
    ]
    for (const message of messages) for (const turn of [null, 3]) assertSame(message, turn, 1_700_000_000_001)
  })

  it("is not part of what a program reads", () => {
    const message = updateMessage("thread", { sessionUpdate: "plan", entries: [] })
    const event = streamed({ session, seq: 1, turn: 1, at: 1, message, json: JSON.stringify(message) })
    assert.deepStrictEqual(Object.keys(event), ["session", "seq", "turn", "at", "message"])
  })
})
