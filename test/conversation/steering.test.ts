/** The projection of steering and of compactions. */
import { assert, describe, it } from "@effect/vitest"
import { resultOf } from "../../src/conversation/turnResult.ts"
import { notHanded, steeringMessage, updateMessage } from "../../src/domain/Acp.ts"
import type { AcpMessage } from "../../src/domain/Acp.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import type { TurnRecord } from "../../src/domain/Turn.ts"

const record = (patch: Partial<TurnRecord> = {}): TurnRecord => ({
  session: "ses_test" as SessionId,
  index: 1,
  kind: "prompt",
  status: "completed",
  prompt: "begin",
  content: null,
  settings: {},
  givenContext: null,
  submittedAt: 0,
  endedAt: 1,
  stopReason: "end_turn",
  usage: noUsage,
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId: "T",
  agentTurnId: null,
  contextLost: false,
  contextAsOf: null,
  workdirLost: false,
  ...patch
})

const chunk = (text: string, messageId: string, meta?: object): AcpMessage =>
  updateMessage("T", {
    sessionUpdate: "agent_message_chunk",
    messageId,
    content: { type: "text", text },
    ...(meta === undefined ? {} : { _meta: meta })
  })
const tool = (status: string, kind = "tool_call"): AcpMessage =>
  updateMessage("T", {
    sessionUpdate: kind,
    toolCallId: "c1",
    title: "ls",
    kind: "execute",
    rawInput: { command: "ls" },
    status
  })
const steered = (text: string) => steeringMessage("T", text)
const end = (meta?: object): AcpMessage => ({
  jsonrpc: "2.0",
  id: 1,
  result: { stopReason: "end_turn", ...(meta && { _meta: meta }) }
})

const rolesOf = (events: ReadonlyArray<AcpMessage>) =>
  resultOf(record(), events).messages.map(({ content, role }) => [role, content])

describe("words for a running turn", () => {
  it("the words are a user's message at their position, and the text that they cut off is none", () => {
    const events = [chunk("I was say", "m1"), steered("stop that"), chunk("Stopped.", "m2"), end()]
    assert.deepStrictEqual(rolesOf(events), [
      ["user", "begin"],
      ["user", "stop that"],
      ["assistant", "Stopped."]
    ])
    assert.strictEqual(resultOf(record(), events).finalText, "Stopped.")
  })

  it("the words begin another message, also of an agent whose messages have no ids, or the same id", () => {
    const same = [chunk("one ", "m1"), steered("and?"), chunk("two", "m1"), end()]
    assert.deepStrictEqual(rolesOf(same).slice(1), [
      ["user", "and?"],
      ["assistant", "two"]
    ])
  })

  it("the words cut off the current text, also where its last chunks come behind them", () => {
    const events = [
      chunk("I was ", "m1"),
      steered("stop that"),
      chunk("saying ", "m1"),
      chunk("that", "m1"),
      chunk("Stopped.", "m2"),
      end()
    ]
    assert.deepStrictEqual(rolesOf(events).slice(1), [
      ["user", "stop that"],
      ["assistant", "Stopped."]
    ])
    assert.strictEqual(resultOf(record(), events).finalText, "Stopped.")
  })

  it("the words come after the tool that they waited for, and never between a call and its answer", () => {
    const events = [
      tool("pending"),
      steered("hurry"),
      tool("completed", "tool_call_update"),
      chunk("Done.", "m1"),
      end()
    ]
    assert.deepStrictEqual(
      rolesOf(events).map(([role]) => role),
      ["user", "assistant", "tool", "user", "assistant"]
    )
  })

  it("a text that codex marked as complete before the words stays a message", () => {
    const whole = { "troupe/completed": true }
    const events = [
      chunk("First.", "m1", whole),
      chunk("half", "m2"),
      steered("go on"),
      chunk("Second.", "m3", whole),
      end()
    ]
    assert.deepStrictEqual(
      rolesOf(events).map(([, content]) => content),
      ["begin", "First.", "go on", "Second."]
    )
  })

  it("the words are told from an agent's echo of the prompt, which is no message", () => {
    const echo = updateMessage("T", { sessionUpdate: "user_message_chunk", content: { type: "text", text: "begin" } })
    assert.deepStrictEqual(rolesOf([echo, chunk("Yes.", "m1"), end()]), [
      ["user", "begin"],
      ["assistant", "Yes."]
    ])
  })
})

describe("a turn's result", () => {
  const compaction = (what: string) =>
    updateMessage("T", { sessionUpdate: "session_info_update", _meta: { "troupe/compaction": what } })
  const window = (used: number) => updateMessage("T", { sessionUpdate: "usage_update", used, size: 1_000 })

  it("the result of a compaction says whether it happened, and what is left", () => {
    const compact = record({ kind: "compact", prompt: "" })
    const done = resultOf(compact, [compaction("started"), window(900), window(100), compaction("completed"), end()])
    assert.deepInclude(done, { compacted: true, context: { used: 100, size: 1_000 }, messages: [], handed: true })
    const failed = resultOf({ ...compact, status: "failed" }, [compaction("started"), end()])
    assert.deepInclude(failed, { compacted: false, context: null })
  })

  it("the result says whether the turn reached the agent", () => {
    assert.isTrue(resultOf(record(), [end()]).handed)
    assert.isFalse(resultOf(record(), [end(notHanded)]).handed)
    const error = { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "x", data: { _meta: notHanded } } } as const
    assert.isFalse(resultOf(record({ status: "failed" }), [error]).handed)
    assert.isFalse(resultOf(record({ status: "queued", endedAt: null }), []).handed)
  })
})
