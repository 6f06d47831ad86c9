/** What agents write into the result of a prompt, and how it is read. */
import { assert, describe, it } from "@effect/vitest"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import type { PromptReply } from "../../src/agent/acp/TurnTracker.ts"
import { RpcError } from "../../src/agent/RpcError.ts"

const endOf = (result: unknown, text: string | null = "hi") => {
  const tracker = TurnTracker.make(Failures.identify("Odd"))
  tracker.thread = "t"
  tracker.begin(1)
  if (text !== null) {
    tracker.receive({
      sessionId: "t",
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } }
    })
  }
  return tracker.end({ ok: true, result })
}

describe("the stop reason of a turn", () => {
  it.each([
    ["end_turn", "end_turn"],
    ["endTurn", "end_turn"],
    ["MAX_TOKENS", "max_tokens"],
    ["max-turn-requests", "max_turn_requests"],
    ["canceled", "cancelled"],
    ["refusal", "refusal"],
    ["stop", "end_turn"],
    ["error", "end_turn"],
    ["", "end_turn"],
    [7, "end_turn"],
    [null, "end_turn"],
    [undefined, "end_turn"]
  ])("%j is read as %s", (stopReason, expected) => {
    const end = endOf({ stopReason })
    assert.deepStrictEqual([end?.stopReason, end?.failure], [expected, null])
  })

  it.each([undefined, null, {}, [], "done", { stopReason: 7 }])(
    "a result without one, of a turn in which nothing came, breaks the protocol: %j",
    (result) => assert.strictEqual(endOf(result, null)?.failure?.class, "protocol")
  )
})

describe("a conversation that the model refuses", () => {
  const refused = (details: string, code = -32603): PromptReply => ({
    ok: false,
    error: new RpcError({ code, message: "Internal error", data: { details } })
  })
  const thinking = "API Error: 400 messages.3.content.16: `thinking` blocks cannot be modified (request_id req_1)"
  const fine: PromptReply = { ok: true, result: { stopReason: "end_turn" } }
  const classesOf = (...replies: ReadonlyArray<PromptReply>) => {
    const tracker = TurnTracker.make(Failures.identify("Odd"))
    return replies.map((reply, nth) => {
      tracker.begin(nth + 1)
      return tracker.end(reply)?.failure
    })
  }

  it("fails as such the second time, in the same words, and says what to do", () => {
    const [first, second] = classesOf(refused(thinking), refused(thinking.replace("req_1", "req_2")))
    assert.strictEqual(first?.class, "model")
    assert.strictEqual(second?.class, "conversation")
    assert.match(second?.message ?? "", /cannot be modified .* Start a new session, and send the turn there\.$/)
  })

  it("is not one where a turn ended well in between, or the words are others", () => {
    const classes = (...replies: ReadonlyArray<PromptReply>) => classesOf(...replies).map((failure) => failure?.class)
    assert.notInclude(classes(refused(thinking), fine, refused(thinking)), "conversation")
    assert.notInclude(
      classes(refused(thinking), refused("API Error: 400 tool_use without tool_result")),
      "conversation"
    )
  })

  it.each([
    "API Error: 400 The model gpt-0 is not supported",
    "API Error: 500 messages could not be read",
    "API Error: 529 Overloaded"
  ])("is not one where the refusal says nothing of what was said: %s", (details) =>
    assert.notInclude(
      classesOf(refused(details), refused(details)).map((failure) => failure?.class),
      "conversation"
    )
  )

  it("fails as such at once where the agent says that only a new session helps", () => {
    const sessionFailure = { severity: "error", category: "limit", title: "context full", actions: ["new_session"] }
    const result = { stopReason: "end_turn", _meta: { jetbrains: { air: { sessionFailure } } } }
    assert.strictEqual(classesOf({ ok: true, result })[0]?.class, "conversation")
  })
})

describe("the usage of a turn", () => {
  it("counts that are no numbers count nothing, and strings of digits are read", () => {
    const usage = {
      inputTokens: "12",
      outputTokens: -3,
      cachedReadTokens: "many",
      cachedWriteTokens: null,
      thoughtTokens: Number.NaN,
      totalTokens: 1e300
    }
    assert.deepStrictEqual(endOf({ stopReason: "end_turn", usage })?.usage, {
      inputTokens: 12,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      totalTokens: 12
    })
  })

  it.each([null, "12", 12, [1, 2], undefined])("a usage that is no object is none: %j", (usage) =>
    assert.isNull(endOf({ stopReason: "end_turn", usage })?.usage)
  )
})
