/** The rows of the projection, one by one, and what no recorded trace shows. */
import { assert, describe, it } from "@effect/vitest"
import { resultOf } from "../../src/conversation/Outcome.ts"
import { project } from "../../src/conversation/Projection.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../../src/domain/Acp.ts"
import type { TurnRecord } from "../../src/domain/Turn.ts"
import { turnRecord } from "./recorded.ts"

const says = (text: string, more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  sessionUpdate: "agent_message_chunk",
  messageId: "m1",
  content: { type: "text", text },
  ...more
})
const thinks = (text: string, more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  ...says(text, { messageId: "t1", ...more }),
  sessionUpdate: "agent_thought_chunk"
})
const marked = { _meta: { "troupe/completed": true } }
const calls = (more: Readonly<Record<string, unknown>>): SessionUpdate => ({
  sessionUpdate: "tool_call",
  toolCallId: "call_1",
  status: "in_progress",
  ...more
})
const ends = (more: Readonly<Record<string, unknown>> = {}): SessionUpdate => ({
  sessionUpdate: "tool_call_update",
  toolCallId: "call_1",
  status: "completed",
  ...more
})
const codexItem = (item: Readonly<Record<string, unknown>>) => ({ _meta: { "troupe/item": item } })

const told = (...updates: ReadonlyArray<SessionUpdate>): ReadonlyArray<AcpMessage> =>
  updates.map((update) => updateMessage("thread", update))
const good: AcpMessage = { jsonrpc: "2.0", id: 1, result: { stopReason: "end_turn" } }
const cancelled: AcpMessage = { jsonrpc: "2.0", id: 1, result: { stopReason: "cancelled" } }
const failed: AcpMessage = { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "It died." } }

/** The messages behind the user's, of a turn that ended well. */
const saidOf = (...updates: ReadonlyArray<SessionUpdate>) => messagesOf([...told(...updates), good])
const messagesOf = (events: ReadonlyArray<AcpMessage>, turn: Partial<TurnRecord> = {}) =>
  project(turnRecord(turn), events).messages.slice(1)
/** Name, arguments and result of the one tool call. */
const callOf = (...updates: ReadonlyArray<SessionUpdate>) => {
  const [asked, answered, ...rest] = saidOf(...updates)
  assert.deepStrictEqual(rest, [])
  const { arguments: args, name } = asked!.tool_calls![0]!.function
  return [name, JSON.parse(args), answered!.content]
}

describe("a command", () => {
  const item = codexItem({ type: "commandExecution", source: "agent" })
  const begun = calls({ kind: "read", title: "ls", rawInput: { command: "ls -l", cwd: "/w" }, ...item })

  it("is a call of exec_command, with its output as the result", () =>
    assert.deepStrictEqual(saidOf(begun, ends({ rawOutput: { output: "a\nb\n", exitCode: 0 } })), [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "exec_command", arguments: '{"command":"ls -l","cwd":"/w"}' }
          }
        ]
      },
      { role: "tool", tool_call_id: "call_1", content: "a\nb\n" }
    ]))

  it("that exits with another code than 0 says so before its output", () =>
    assert.deepStrictEqual(callOf(begun, ends({ status: "failed", rawOutput: { output: "no\n", exitCode: 2 } })), [
      "exec_command",
      { command: "ls -l", cwd: "/w" },
      "[exit 2]\nno\n"
    ]))

  it("that was declined has no exit code and says that", () =>
    assert.strictEqual(
      callOf(begun, ends({ status: "failed", _meta: { "troupe/status": "declined" } }))[2],
      "[declined]"
    ))

  it("of Claude Code takes its exit code from the text that names it", () =>
    assert.deepStrictEqual(
      callOf(
        calls({ name: "Bash", kind: "execute", rawInput: {} }),
        { ...ends({ rawInput: { command: "false", description: "fail" } }), status: "in_progress" },
        ends({ status: "failed", rawOutput: "Exit code 1\nboo" })
      ),
      ["exec_command", { command: "false" }, "[exit 1]\nboo"]
    ))

  it("of an agent that sends output in pieces and the exit apart has both", () =>
    assert.deepStrictEqual(
      callOf(
        calls({ name: "exec_command", kind: "execute", rawInput: { command: "x", cwd: "/w" } }),
        { ...ends({ _meta: { terminal_output_delta: { data: "one " } } }), status: undefined },
        { ...ends({ _meta: { terminal_output_delta: { data: "two" } } }), status: undefined },
        ends({ status: "failed", _meta: { terminal_exit: { exit_code: 3 } } })
      ),
      ["exec_command", { command: "x", cwd: "/w" }, "[exit 3]\none two"]
    ))

  it("shows what it printed where its turn ended first, and counts only when it ends", () => {
    const open = told(begun, { ...ends({ _meta: { "troupe/output": "so far" } }), status: undefined })
    const early = project(turnRecord({}), [...open, good])
    assert.strictEqual(early.messages[2]?.content, "[unfinished]\nso far")
    assert.strictEqual(early.toolIterations, 0)
    const late = project(turnRecord({}), [
      ...open,
      good,
      ...told(ends({ rawOutput: { output: "all of it", exitCode: 0 } }))
    ])
    assert.strictEqual(late.messages[2]?.content, "all of it")
    assert.strictEqual(late.toolIterations, 1)
    assert.deepStrictEqual(late.messages[1], early.messages[1])
  })

  it("is no message while its turn and it go on", () =>
    assert.deepStrictEqual(messagesOf(told(begun), { status: "running", endedAt: null }), []))

  it("stays before the words that were said while it ran", () =>
    assert.deepStrictEqual(
      messagesOf([
        ...told(begun, says("Still running.", marked)),
        good,
        ...told(ends({ rawOutput: { output: "done" } }))
      ]).map(({ content }) => content),
      [null, "done", "Still running."]
    ))
})

describe("a file change", () => {
  it("names the files and what happens to them, and nothing of what is in them", () =>
    assert.deepStrictEqual(
      callOf(
        calls({
          kind: "edit",
          rawInput: {
            changes: [
              { kind: "add", path: "/w/b", diff: "secret" },
              { path: "/w/a", kind: "update" }
            ]
          },
          ...codexItem({ type: "fileChange" })
        }),
        ends({ rawOutput: { status: "completed", changes: 2 } })
      ),
      [
        "apply_patch",
        {
          changes: [
            { kind: "add", path: "/w/b" },
            { kind: "update", path: "/w/a" }
          ]
        },
        "completed: 2 changes"
      ]
    ))

  it("of an ACP agent is known by its diffs, also where the end replaces them", () =>
    assert.deepStrictEqual(
      callOf(
        calls({ kind: "edit", name: "Edit", content: [{ type: "diff", path: "/w/a", oldText: "x", newText: "y" }] }),
        ends({ status: "failed", content: [{ type: "content", content: { type: "text", text: "No such text." } }] })
      ),
      ["apply_patch", { changes: [{ kind: "update", path: "/w/a" }] }, "failed: 1 change\nNo such text."]
    ))
})

describe("any other tool", () => {
  const mcp = calls({
    rawInput: { b: 1, a: { d: 2, c: 3 } },
    ...codexItem({ type: "mcpToolCall", server: "s", tool: "t" })
  })

  it("of an MCP server is called by the server's name and its own, with the result as JSON", () =>
    assert.deepStrictEqual(callOf(mcp, ends({ rawOutput: { content: [], b: 1 } })), [
      "mcp.s.t",
      { a: { c: 3, d: 2 }, b: 1 },
      '{"b":1,"content":[]}'
    ]))

  it("has its arguments with sorted keys, at every depth", () =>
    assert.strictEqual(saidOf(mcp, ends())[0]?.tool_calls?.[0]?.function.arguments, '{"a":{"c":3,"d":2},"b":1}'))

  it("of an MCP server that failed says [error] and why", () =>
    assert.strictEqual(callOf(mcp, ends({ status: "failed", rawOutput: { message: "gone" } }))[2], "[error] gone"))

  it("of Claude's MCP servers is called as codex's are", () =>
    assert.deepStrictEqual(
      callOf(calls({ name: "mcp__probe__ping", kind: "other" }), ends({ rawOutput: [{ type: "text", text: "pong" }] })),
      ["mcp.probe.ping", {}, "pong"]
    ))

  it("of the client gives its content items, or whether it succeeded", () => {
    const dynamic = calls({ rawInput: { q: "x" }, ...codexItem({ type: "dynamicToolCall", tool: "lookup" }) })
    const found = { contentItems: [{ type: "inputText", text: "found it" }], success: true }
    assert.deepStrictEqual(callOf(dynamic, ends({ rawOutput: found })), ["lookup", { q: "x" }, "found it"])
    assert.strictEqual(callOf(dynamic, ends({ rawOutput: { contentItems: null, success: true } }))[2], "success: true")
  })

  it("keeps its own name and its input as arguments", () =>
    assert.deepStrictEqual(callOf(calls({ name: "Grep", kind: "search", rawInput: { pattern: "x" } }), ends()), [
      "Grep",
      { pattern: "x" },
      "completed"
    ]))

  it("without a name is called by its kind, where that says what was done", () =>
    assert.deepStrictEqual(callOf(calls({ kind: "fetch", title: "Fetch example.org" }), ends({ rawOutput: "text" })), [
      "fetch",
      { title: "Fetch example.org" },
      "text"
    ]))
})

describe("what is no call of the model's", () => {
  const contents = (...updates: ReadonlyArray<SessionUpdate>) => saidOf(...updates).map(({ content }) => content)

  it("is a note that names its kind: a web search", () => {
    const rawInput = { query: "effect", action: { type: "search" } }
    const events = [...told(calls({ rawInput, ...codexItem({ type: "webSearch" }) }), ends()), good]
    const { messages, toolIterations } = project(turnRecord({}), events)
    assert.deepStrictEqual(messages.slice(1), [
      { role: "assistant", content: '[webSearch] {"action":{"type":"search"},"query":"effect"}' }
    ])
    assert.strictEqual(toolIterations, 0)
  })

  it("is a note: a plan, once, as it stood in the end", () =>
    assert.deepStrictEqual(
      contents({ sessionUpdate: "plan", entries: [{ content: "look", status: "pending" }] }, says("Looking."), {
        sessionUpdate: "plan",
        entries: [{ content: "look", status: "completed" }]
      }),
      ["Looking.", '[plan] {"entries":[{"content":"look","status":"completed"}]}']
    ))

  it("is a note: an item or an update of a kind that nobody knows, bounded", () => {
    const payload = JSON.stringify({ type: "novelty", id: "1", z: 1 })
    const item = { sessionUpdate: "session_info_update", _meta: { "troupe/item": { type: "novelty", payload } } }
    const [known, unknown] = contents(item, { sessionUpdate: "hologram", text: "x".repeat(100_000) })
    assert.strictEqual(known, `[novelty] ${payload}`)
    assert.match(unknown!, /^\[hologram\] \{"text":"x+/)
    assert.isBelow(unknown!.length, 20_000)
  })

  it("is nothing at all: what a session says of itself, and the prompt's echo", () =>
    assert.deepStrictEqual(
      contents(
        { sessionUpdate: "user_message_chunk", content: { type: "text", text: "hello" } },
        { sessionUpdate: "usage_update", used: 1, size: 2 },
        { sessionUpdate: "session_info_update", title: "t", _meta: { "troupe/warning": "w" } },
        { sessionUpdate: "notice", severity: "warning", title: "Careful" }
      ),
      []
    ))

  it("is nothing, but told: a compaction, whoever made it", () => {
    const ours = { sessionUpdate: "session_info_update", _meta: { "troupe/compaction": "completed" } }
    const theirs = [calls({ kind: "think", title: "Compact conversation" }), ends()]
    for (const updates of [[ours], theirs]) {
      const { compacted, messages } = project(turnRecord({}), [...told(...updates), good])
      assert.deepStrictEqual([compacted, messages.length], [true, 1])
    }
  })

  it("is nothing: news of a call that was never told of", () => assert.deepStrictEqual(saidOf(ends({ name: "t" })), []))

  it("is kept out: what a sub-agent does in its parent's session, or in another thread", () => {
    const _meta = { claudeCode: { toolName: "Read", parentToolUseId: "toolu_1" } }
    assert.deepStrictEqual(saidOf(calls({ name: "Read", _meta }), ends({ _meta })), [])
    const stranger = updateMessage("another thread", says("not ours"))
    const events = [...told(says("ours")), stranger, good]
    assert.deepStrictEqual(messagesOf(events, { threadId: "thread" }), [{ role: "assistant", content: "ours" }])
  })
})

describe("what the agent says", () => {
  it("is a message, with the thoughts before it", () =>
    assert.deepStrictEqual(
      saidOf(
        thinks("first ", marked),
        thinks("second", { messageId: "t2", ...marked }),
        says("Hel"),
        says("lo", marked)
      ),
      [{ role: "assistant", content: "Hello", reasoning: "first\n\nsecond" }]
    ))

  it("goes on after news of a tool that runs, and begins anew after a new call", () => {
    const contents = (update: SessionUpdate) =>
      saidOf(calls({ name: "t" }), says("one "), update, says("two"), ends()).map(({ content }) => content)
    assert.deepStrictEqual(contents({ ...ends(), status: "in_progress" }), [null, "completed", "one two"])
    assert.deepStrictEqual(contents(calls({ toolCallId: "call_2", name: "t" })), [
      null,
      "completed",
      "one ",
      null,
      "[unfinished]",
      "two"
    ])
  })

  it("last is the final text", () => {
    const { finalText, messages } = resultOf(turnRecord({}), [
      ...told(says("I will look."), calls({ name: "t" }), ends(), says("Seen.", { messageId: "m2" })),
      good
    ])
    assert.strictEqual(finalText, "Seen.")
    assert.strictEqual(messages.length, 5)
  })

  it("is no message where it was cut off, but is told as the final text if there is no other", () => {
    for (const end of [cancelled, failed]) {
      const { finalText, messages } = resultOf(turnRecord({ status: "failed" }), [...told(says("half an ans")), end])
      assert.deepStrictEqual([messages.length, finalText], [1, "half an ans"])
    }
  })

  it("is a message where something follows it, however the turn ends", () =>
    assert.deepStrictEqual(
      messagesOf([...told(says("Looking."), calls({ name: "t" })), failed], { status: "failed" }).map(
        ({ content }) => content
      ),
      ["Looking.", null, "[unfinished]"]
    ))

  it("counts by the mark where the agent marks what is complete: a steered or retried answer leaves nothing behind", () =>
    assert.deepStrictEqual(
      saidOf(
        says("one two"),
        says("", { _meta: { "troupe/completed": false } }),
        says("one", { messageId: "m2", ...marked })
      ),
      [{ role: "assistant", content: "one" }]
    ))

  it("again after a cut is one message", () =>
    assert.deepStrictEqual(saidOf(says("The answer"), says("The answer is 4.", { messageId: "m2" })), [
      { role: "assistant", content: "The answer is 4." }
    ]))

  it("after its turn is a message of that turn, and not its final text", () => {
    const late = told(says("Done in the background.", { messageId: "m2" }), { sessionUpdate: "usage_update", cost: {} })
    const { finalText, messages } = resultOf(turnRecord({}), [...told(says("Started.")), good, ...late])
    assert.deepStrictEqual(
      messages.slice(1).map(({ content }) => content),
      ["Started.", "Done in the background."]
    )
    assert.strictEqual(finalText, "Started.")
  })

  it("with a raw marker of an abort makes the turn an interrupted one, and the marker is no text", () => {
    const events = [...told(says("Some work. <turn_aborted>The user interrupted.</turn_aborted>")), good]
    const { finalText, turn } = resultOf(turnRecord({}), events)
    assert.containSubset(turn, { status: "interrupted", interrupted: true, stopReason: "cancelled" })
    assert.strictEqual(finalText, "Some work.")
  })

  it("may speak of the marker in code", () => {
    const text = "Codex writes `<turn_aborted>`:\n```xml\n<turn_aborted>\n```"
    assert.strictEqual(resultOf(turnRecord({}), [...told(says(text)), good]).turn.status, "completed")
  })

  it("completes an answer before the turn's end is told, as long as nothing was begun after it", () => {
    const running = turnRecord({ status: "running", endedAt: null })
    assert.isTrue(project(running, told(says("Done.", marked))).answered)
    assert.isFalse(project(running, told(says("Done."))).answered)
    assert.isFalse(project(running, told(says("Looking.", marked), calls({ name: "t" }))).answered)
  })
})

describe("a conversation", () => {
  it("has the user's message first and once, also where the turn never reached the agent", () =>
    assert.deepStrictEqual(resultOf(turnRecord({ status: "failed", prompt: "hi" }), [failed]).messages, [
      { role: "user", content: "hi" }
    ]))

  it("has none in a compaction, which nobody says", () =>
    assert.deepStrictEqual(project(turnRecord({ kind: "compact", prompt: "" }), [good]).messages, []))

  it("gives ids that OpenAI takes, the same for the same history", () => {
    const idOf = (toolCallId: string) =>
      saidOf(calls({ toolCallId, name: "t" }), ends({ toolCallId }))[0]?.tool_calls?.[0]?.id
    assert.strictEqual(idOf("toolu_01A"), "toolu_01A")
    assert.match(idOf("exec-2f9f1f6a-86a0-4b8e-a4b1-0d7f38a6f7aa")!, /^call_[0-9a-f]{32}$/)
    assert.strictEqual(idOf("a:b"), idOf("a:b"))
    assert.notStrictEqual(idOf("a:b"), idOf("a:c"))
  })

  it("bounds what a tool gave and what it was given, and says how much is left out", () => {
    const [asked, answered] = saidOf(
      calls({
        name: "Write",
        kind: "other",
        rawInput: { content: "x".repeat(1_000_000), path: "/w/a", many: Array(100_000).fill(1) }
      }),
      ends({ rawOutput: "y".repeat(1_000_000) })
    )
    const args = asked!.tool_calls![0]!.function.arguments
    assert.isBelow(args.length, 64 * 1024)
    assert.match(JSON.parse(args).content, /… \d+ characters left out …/)
    assert.isBelow(answered!.content!.length, 64 * 1024)
    assert.match(answered!.content!, /… \d+ characters left out …/)
  })
})
