/** The projection of each kind of tool call. */
import { assert, describe, it } from "@effect/vitest"
import { project } from "../../src/conversation/Projection.ts"
import { says, marked, calls, ends, codexItem, eventsOf, good, projected, messagesOf, callOf } from "./events.ts"
import { turnRecord } from "./recorded.ts"

it("a call that begins with the id of one that has ended is a call of its own", () => {
  const messages = projected(
    calls({ name: "one" }),
    ends({ rawOutput: "1" }),
    calls({ name: "two" }),
    ends({ rawOutput: "2" })
  )
  assert.deepStrictEqual(
    messages.map(({ content, tool_calls: [call] = [] }) => call?.function.name ?? content),
    ["one", "1", "two", "2"]
  )
  assert.strictEqual(
    new Set(messages.map(({ tool_call_id, tool_calls }) => tool_call_id ?? tool_calls?.[0]?.id)).size,
    2
  )
})

describe("a command", () => {
  const item = codexItem({ type: "commandExecution", source: "agent" })
  const begun = calls({ kind: "read", title: "ls", rawInput: { command: "ls -l", cwd: "/w" }, ...item })

  it("a command is a call of exec_command, with its output as the result", () =>
    assert.deepStrictEqual(projected(begun, ends({ rawOutput: { output: "a\nb\n", exitCode: 0 } })), [
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

  it("a command with an exit code other than 0 has the code before its output", () =>
    assert.deepStrictEqual(callOf(begun, ends({ status: "failed", rawOutput: { output: "no\n", exitCode: 2 } })), [
      "exec_command",
      { command: "ls -l", cwd: "/w" },
      "[exit 2]\nno\n"
    ]))

  it("a declined command has no exit code and says that it was declined", () =>
    assert.strictEqual(
      callOf(begun, ends({ status: "failed", _meta: { "troupe/status": "declined" } }))[2],
      "[declined]"
    ))

  it("a command of Claude Code has the exit code that its text names", () =>
    assert.deepStrictEqual(
      callOf(
        calls({ name: "Bash", kind: "execute", rawInput: {} }),
        { ...ends({ rawInput: { command: "false", description: "fail" } }), status: "in_progress" },
        ends({ status: "failed", rawOutput: "Exit code 1\nboo" })
      ),
      ["exec_command", { command: "false" }, "[exit 1]\nboo"]
    ))

  it("a command whose output comes in pieces and its exit code apart has both", () =>
    assert.deepStrictEqual(
      callOf(
        calls({ name: "exec_command", kind: "execute", rawInput: { command: "x", cwd: "/w" } }),
        { ...ends({ _meta: { terminal_output_delta: { data: "one " } } }), status: undefined },
        { ...ends({ _meta: { terminal_output_delta: { data: "two" } } }), status: undefined },
        ends({ status: "failed", _meta: { terminal_exit: { exit_code: 3 } } })
      ),
      ["exec_command", { command: "x", cwd: "/w" }, "[exit 3]\none two"]
    ))

  it("a command whose turn ended first has its output so far, and counts only when it ends", () => {
    const open = eventsOf(begun, { ...ends({ _meta: { "troupe/output": "so far" } }), status: undefined })
    const early = project(turnRecord({}), [...open, good])
    assert.strictEqual(early.messages[2]?.content, "[unfinished]\nso far")
    assert.strictEqual(early.toolIterations, 0)
    const late = project(turnRecord({}), [
      ...open,
      good,
      ...eventsOf(ends({ rawOutput: { output: "all of it", exitCode: 0 } }))
    ])
    assert.strictEqual(late.messages[2]?.content, "all of it")
    assert.strictEqual(late.toolIterations, 1)
    assert.deepStrictEqual(late.messages[1], early.messages[1])
  })

  it("a running command of a running turn is no message", () =>
    assert.deepStrictEqual(messagesOf(eventsOf(begun), { status: "running", endedAt: null }), []))

  it("a command stays before the texts that came while it ran", () =>
    assert.deepStrictEqual(
      messagesOf([
        ...eventsOf(begun, says("Still running.", marked)),
        good,
        ...eventsOf(ends({ rawOutput: { output: "done" } }))
      ]).map(({ content }) => content),
      [null, "done", "Still running."]
    ))
})

describe("a file change", () => {
  it("a file change names the files and the changes, and none of their content", () =>
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

  it("a file change of an ACP agent is recognized by its diffs, also where the end replaces them", () =>
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

  it("a tool of an MCP server has the server's name and its own, and its result as JSON", () =>
    assert.deepStrictEqual(callOf(mcp, ends({ rawOutput: { content: [], b: 1 } })), [
      "mcp.s.t",
      { a: { c: 3, d: 2 }, b: 1 },
      '{"b":1,"content":[]}'
    ]))

  it("the arguments of a tool have sorted keys, at every depth", () =>
    assert.strictEqual(projected(mcp, ends())[0]?.tool_calls?.[0]?.function.arguments, '{"a":{"c":3,"d":2},"b":1}'))

  it("a failed tool of an MCP server has [error] and the reason", () =>
    assert.strictEqual(callOf(mcp, ends({ status: "failed", rawOutput: { message: "gone" } }))[2], "[error] gone"))

  it("a tool of Claude's MCP servers is named as one of codex's", () =>
    assert.deepStrictEqual(
      callOf(calls({ name: "mcp__probe__ping", kind: "other" }), ends({ rawOutput: [{ type: "text", text: "pong" }] })),
      ["mcp.probe.ping", {}, "pong"]
    ))

  it("a tool of the client has its content items, or whether it succeeded", () => {
    const dynamic = calls({ rawInput: { q: "x" }, ...codexItem({ type: "dynamicToolCall", tool: "lookup" }) })
    const output = { contentItems: [{ type: "inputText", text: "found it" }], success: true }
    assert.deepStrictEqual(callOf(dynamic, ends({ rawOutput: output })), ["lookup", { q: "x" }, "found it"])
    assert.strictEqual(callOf(dynamic, ends({ rawOutput: { contentItems: null, success: true } }))[2], "success: true")
  })

  it("any other tool keeps its own name and has its input as arguments", () =>
    assert.deepStrictEqual(callOf(calls({ name: "Grep", kind: "search", rawInput: { pattern: "x" } }), ends()), [
      "Grep",
      { pattern: "x" },
      "completed"
    ]))

  it("a tool without a name has its kind's name, where that says what was done", () =>
    assert.deepStrictEqual(callOf(calls({ kind: "fetch", title: "Fetch example.org" }), ends({ rawOutput: "text" })), [
      "fetch",
      { title: "Fetch example.org" },
      "text"
    ]))
})
