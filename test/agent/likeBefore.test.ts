/** Lines that are like the one before are read as the parser reads them, and others are left to the parser. */
import { assert, describe, it } from "@effect/vitest"
import * as LikeBefore from "../../src/agent/LikeBefore.ts"

const chunk = (text: string) =>
  JSON.stringify({
    jsonrpc: "2.0",
    method: "session/update",
    params: {
      sessionId: "s",
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "m" }
    }
  })
const delta = (text: string) =>
  JSON.stringify({ method: "item/agentMessage/delta", params: { threadId: "t", delta: text, itemId: "i" } })

const toolOutput = (text: string) =>
  JSON.stringify({
    jsonrpc: "2.0",
    method: "session/update",
    params: {
      sessionId: "s",
      update: {
        sessionUpdate: "tool_call_update",
        toolCallId: "t",
        content: [{ type: "content", content: { type: "text", text }, _meta: {} }]
      }
    }
  })

const learn = (likeBefore: LikeBefore.LikeBefore, line: string) =>
  likeBefore.learn(line, JSON.parse(line) as Record<string, unknown>)

/** By two that are the same. */
const learned = (line: string) => {
  const likeBefore = LikeBefore.make()
  learn(likeBefore, line)
  learn(likeBefore, line)
  return likeBefore
}

const texts = [
  "",
  "a",
  "two words",
  "„“ 👋",
  '"',
  "\\",
  '","text":"',
  "\n\t\u0000",
  "x".repeat(5_000),
  '{"text":"a"}',
  '"}}'
]

describe("lines like the one before", () => {
  it("are read as the parser reads them, to the order of their members", () => {
    for (const of of [chunk, delta, toolOutput]) {
      for (const first of texts.slice(1)) {
        const likeBefore = learned(of(first))
        for (const text of texts) {
          assert.strictEqual(JSON.stringify(likeBefore.read(of(text))), of(text), `${text} after ${first}`)
        }
      }
    }
  })

  it("are learned when the second comes, not where lines of other kinds take turns", () => {
    const likeBefore = LikeBefore.make()
    for (const line of [chunk("a"), toolOutput("b"), chunk("c"), delta("d"), toolOutput("e"), '{"id":1,"result":{}}']) {
      learn(likeBefore, line)
      for (const of of [chunk, delta, toolOutput]) assert.isNull(likeBefore.read(of("x")))
    }
    learn(likeBefore, toolOutput("one"))
    learn(likeBefore, toolOutput("two"))
    assert.deepStrictEqual(likeBefore.read(toolOutput("three")), JSON.parse(toolOutput("three")))
    assert.isNull(likeBefore.read(chunk("x")))
  })

  it("are not kept where they are long", () => {
    const long = toolOutput("x".repeat(70_000))
    assert.isNull(learned(long).read(long))
    const likeBefore = learned(toolOutput("x"))
    assert.deepStrictEqual(likeBefore.read(long), JSON.parse(long))
  })

  it("have one part of a tool's output: of several the text may be any", () => {
    const two = (text: string) => toolOutput(text).replace('"content":[', '"content":[{"type":"diff"},')
    assert.isNull(learned(two("x")).read(two("x")))
  })

  it("are read with every way in which a text can be written", () => {
    const line = chunk("TEXT")
    const likeBefore = learned(chunk("one"))
    for (const written of ["\\u0041", "\\/", "\\ud83d\\udc4b", "\\ud83d", "\\b\\f"]) {
      const other = line.replace("TEXT", written)
      assert.deepStrictEqual(likeBefore.read(other), JSON.parse(other))
    }
  })

  it("that say anything else, or are no JSON, are left to the parser", () => {
    const likeBefore = learned(chunk("one"))
    const others = [
      chunk("one").replace('"m"', '"n"'),
      chunk("one").replace("one", 'one","annotations":{},"more":"x'),
      chunk("one").replace("one", "one\n"),
      chunk("one").replace("one", "\\"),
      chunk("one").replace("one", "\\x"),
      `${chunk("one")} `,
      chunk("one").slice(1),
      delta("one"),
      ""
    ]
    for (const other of others) assert.isNull(likeBefore.read(other), other)
  })

  it("are not learned where the text is not where it seems to be", () => {
    // The text is written in another way than it is looked for, or another member looks like it.
    for (const line of [
      chunk("x").replace('"x"', '"\\u0078"'),
      chunk("x").replace('"text":"x"', '"text": "x"'),
      chunk("x").replace('"messageId":"m"', '"messageId":{"text":"x"}'),
      chunk("x").replace('"text":"x"', '"text":"x","_meta":{"text":"x"}'),
      '{"id":1,"result":{}}'
    ]) {
      assert.isNull(learned(line).read(line), line)
    }
  })

  it("may have the same member twice, of which the last one counts", () => {
    const twice = (text: string) => chunk(text).replace('"type":"text"', '"type":"text","text":"y"')
    const likeBefore = learned(twice("x"))
    assert.deepStrictEqual(likeBefore.read(twice("other")) ?? JSON.parse(twice("other")), JSON.parse(twice("other")))
  })
})
