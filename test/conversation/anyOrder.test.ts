/** Events in any order and of any shape, as no agent sends them: their messages are well formed all the same. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ChunkBuffer } from "../../src/session/ChunkBuffer.ts"
import { ToolCount } from "../../src/conversation/ToolCount.ts"
import { project } from "../../src/conversation/Projection.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { turnRecord } from "./recorded.ts"
import { assertWellFormed } from "./wellFormed.ts"

/** Few ids, so that events share them; one is invalid for OpenAI. */
const Id = Schema.Literals(["a", "b", "c:1", ""])
const maybe = Schema.optionalKey

/** Values of a field: of the right shape, of another, and absent. */
const payloads: ReadonlyArray<unknown> = [
  { command: "ls", cwd: "/w" },
  { command: ["ls", 1, "-l"], __proto__: null },
  { changes: [{ path: "/b", kind: "add" }, { path: 3 }, null], b: { "2": 1, "10": 2, a: { c: [[]], b: "" } } },
  { output: "out", exitCode: 3 },
  { output: "", exit_code: 0, changes: 2 },
  { contentItems: [{ text: "t" }, {}], success: false },
  [{ type: "diff", path: "/a", oldText: null }, { type: "content", content: { text: "```sh\nx\n```" } }, 7],
  [{ path: "/a" }, "x"],
  "Exit code 2\nno",
  "",
  7,
  true,
  null
]
const Payload = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: payloads.length - 1 }))
const holding = new Set(["rawInput", "rawOutput", "content", "locations", "entries", "cost", "server", "tool"])

const Chunk = Schema.Struct({
  sessionUpdate: Schema.Literals(["agent_message_chunk", "agent_thought_chunk", "user_message_chunk"]),
  messageId: maybe(Id),
  content: maybe(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })),
  _meta: maybe(Schema.Struct({ "troupe/completed": maybe(Schema.Boolean) }))
})

const Tool = Schema.Struct({
  sessionUpdate: Schema.Literals(["tool_call", "tool_call_update"]),
  toolCallId: Id,
  status: maybe(Schema.Literals(["pending", "in_progress", "completed", "failed", "odd"])),
  kind: maybe(Schema.Literals(["execute", "edit", "read", "think", "other"])),
  name: maybe(Schema.Literals(["Bash", "exec_command", "mcp__s__t", ""])),
  title: maybe(Schema.Literals(["Compact conversation", "x"])),
  rawInput: maybe(Payload),
  rawOutput: maybe(Payload),
  content: maybe(Payload),
  locations: maybe(Payload),
  _meta: maybe(
    Schema.Struct({
      "troupe/item": maybe(
        Schema.Struct({
          type: Schema.Literals(["commandExecution", "fileChange", "mcpToolCall", "dynamicToolCall", "webSearch"]),
          server: maybe(Payload),
          tool: maybe(Payload)
        })
      ),
      "troupe/status": maybe(Schema.Literals(["declined", "abandoned"])),
      "troupe/output": maybe(Schema.String)
    })
  )
})

const Other = Schema.Struct({
  sessionUpdate: Schema.Literals(["plan", "usage_update", "session_info_update", "hologram", ""]),
  entries: maybe(Payload),
  cost: maybe(Payload),
  _meta: maybe(Schema.Struct({ "troupe/item": maybe(Schema.Struct({ type: Payload, payload: Payload })) }))
})

const End = Schema.Struct({ end: Schema.Literals(["end_turn", "cancelled", "error"]) })

const Updates = Schema.Array(Schema.Union([Chunk, Tool, Other, End])).check(
  Schema.isMinLength(4),
  Schema.isMaxLength(40)
)
const Status = Schema.Literals(["running", "completed", "interrupted", "failed", "timed_out"])

const events = (updates: typeof Updates.Type): ReadonlyArray<AcpMessage> =>
  updates.map((update) => {
    if (!("end" in update)) return updateMessage("thread", filled(update) as SessionUpdate)
    return update.end === "error"
      ? { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "It failed." } }
      : { jsonrpc: "2.0", id: 1, result: { stopReason: update.end } }
  })

const filled = (value: unknown): unknown =>
  typeof value !== "object" || value === null
    ? value
    : Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          holding.has(key) && typeof inner === "number" ? payloads[inner] : filled(inner)
        ])
      )

const ofThread = (message: AcpMessage, thread: string): AcpMessage =>
  "method" in message && message.method === "session/update" ? updateMessage(thread, message.params.update) : message

const turnOf = (status: typeof Status.Type) => turnRecord({ status, endedAt: status === "running" ? null : 2_000 })

const coalesced = (messages: ReadonlyArray<AcpMessage>): ReadonlyArray<AcpMessage> => {
  const recorder = new ChunkBuffer(SessionId.make("ses_any"), 0)
  for (const message of messages) recorder.append(1, message, 0)
  return recorder.take().map(({ message }) => message)
}

const runs = { arbitrary: { runs: 300, size: 60 } }

describe("the projection of events in any order", () => {
  it.prop(
    "the projection is well formed: the user once and first, every result after its call, ids once, arguments sorted",
    [Updates, Status],
    ([updates, status]) => {
      const turn = turnOf(status)
      const { messages, toolIterations } = project(turn, events(updates))
      assertWellFormed(messages, turn)
      assert.isAtMost(toolIterations, messages.filter(({ role }) => role === "tool").length)
    },
    runs
  )

  it.prop(
    "as many tool calls have ended as were counted while the agent spoke, whichever thread they are of",
    [Updates, Schema.Array(Schema.Literals(["thread", "another"])), Status],
    ([updates, threads, status]) => {
      const said = events(updates).map((message, nth) => ofThread(message, threads[nth] ?? "thread"))
      for (const threadId of ["thread", "another", "silent", null]) {
        const count = new ToolCount()
        for (const message of said) count.received(message, threadId)
        assert.strictEqual(count.ended, project({ ...turnOf(status), threadId }, said).toolIterations)
      }
    },
    runs
  )

  it.prop(
    "the projection is the same each time, and the same whether chunks were stored apart or merged",
    [Updates, Status],
    ([updates, status]) => {
      const turn = turnOf(status)
      const once = project(turn, events(updates))
      assert.deepStrictEqual(project(turn, events(updates)), once)
      assert.deepStrictEqual(project(turn, coalesced(events(updates))), once)
    },
    runs
  )

  it.prop(
    "the projection keeps every call while no further update of a call comes",
    [Updates, Status],
    ([updates, status]) => {
      const turn = turnOf(status)
      const idsOf = (messages: ReadonlyArray<AcpMessage>) =>
        project(turn, messages).messages.flatMap(({ tool_call_id }) => tool_call_id ?? [])
      const whole = idsOf(events(updates))
      const half = idsOf(events(updates.slice(0, updates.length / 2)))
      // A later name or kind can turn a note into a call, or a call into a compaction.
      const changing = updates.slice(updates.length / 2).some((update) => "toolCallId" in update)
      if (!changing) assert.includeMembers(whole, half)
    },
    runs
  )
})
