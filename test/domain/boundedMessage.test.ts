/** What of an agent's message is stored where the message is too long or too deep, and that every other one is left alone. */
import { assert, describe, it } from "@effect/vitest"
import type { AcpMessage, SessionUpdate } from "../../src/domain/Acp.ts"
import { boundedMessage, maxMessageCharacters } from "../../src/domain/boundedMessage.ts"

const message = (update: Record<string, unknown>): AcpMessage => ({
  jsonrpc: "2.0",
  method: "session/update",
  params: { sessionId: "s", update: { sessionUpdate: "tool_call_update", toolCallId: "t", ...update } as SessionUpdate }
})
const updateOf = (bounded: AcpMessage) => {
  assert.isTrue("method" in bounded && bounded.method === "session/update")
  return (bounded as { readonly params: { readonly update: Record<string, unknown> } }).params.update
}
const megabytes = (count: number) => "x".repeat(count * 1024 * 1024)

describe("an agent's message", () => {
  it("is stored as it came up to a megabyte of texts", () => {
    const whole = message({ status: "completed", rawOutput: { text: "x".repeat(maxMessageCharacters - 200) } })
    assert.strictEqual(boundedMessage(whole), whole)
  })

  it("keeps the beginning and the end of each long text where it is longer, and its other members", () => {
    const update = updateOf(
      boundedMessage(message({ status: "completed", rawOutput: { a: `begin${megabytes(3)}end` } }))
    )
    assert.deepInclude(update, { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" })
    const { a } = update["rawOutput"] as { readonly a: string }
    assert.match(a, /^beginx+\n… \d+ characters left out …\nx+end$/)
    assert.isBelow(a.length, 140_000)
  })

  it("says of an image that it was too long, in its place", () => {
    const block = { type: "content", content: { type: "image", mimeType: "image/png", data: megabytes(20) } }
    const small = { type: "content", content: { type: "image", mimeType: "image/png", data: "abc" } }
    const { content } = updateOf(boundedMessage(message({ content: [small, block] })))
    assert.deepStrictEqual(content, [
      small,
      { type: "content", content: { type: "text", text: "[image image/png: 20971520 characters of base64 left out]" } }
    ])
  })

  it("leaves out a member of many texts, and says so", () => {
    const rawOutput = Array.from({ length: 30 }, () => "y".repeat(100_000))
    const update = updateOf(boundedMessage(message({ status: "failed", rawOutput, _meta: { own: 1 } })))
    assert.notProperty(update, "rawOutput")
    assert.deepInclude(update, { status: "failed" })
    assert.deepStrictEqual(update["_meta"], {
      own: 1,
      "troupe/left_out": { rawOutput: `is longer than ${maxMessageCharacters} characters` }
    })
  })
})
