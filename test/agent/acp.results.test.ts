/** What agents write into the result of a prompt, and how it is read. */
import { assert, describe, it } from "@effect/vitest"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"

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
