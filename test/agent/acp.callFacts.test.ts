/** What a tool call of an ACP agent amounts to, by the fields that the agent acts on. */
import { assert, describe, it } from "@effect/vitest"
import { actionOf, factsIn, merged } from "../../src/agent/acp/callFacts.ts"
import type { JsonObject } from "../../src/domain/json.ts"

const actionIn = (call: JsonObject) => actionOf(factsIn(call))

describe("the action of a tool call", () => {
  it("is a command wherever a command is named, whatever the kind and the title say", () => {
    const read = { kind: "read", title: "Read file a.txt", locations: [{ path: "/repo/a.txt" }] }
    assert.deepStrictEqual(actionIn({ ...read, rawInput: { command: "cat a; rm b" } }), {
      _tag: "Command",
      text: "cat a; rm b",
      argv: null,
      directories: []
    })
    assert.deepStrictEqual(actionIn({ ...read, rawInput: { command: ["bash", "-lc", "git status"] } }), {
      _tag: "Command",
      text: "git status",
      argv: ["git", "status"],
      directories: []
    })
    assert.deepStrictEqual(actionIn({ ...read, rawInput: { command: ["git", "status; rm x"] } }), {
      _tag: "Command",
      text: "git status; rm x",
      argv: ["git", "status; rm x"],
      directories: []
    })
    for (const rawInput of [{ command: { line: "rm x" } }, { command: ["rm", 1] }, { cmd: 7 }])
      assert.containSubset(actionIn({ ...read, rawInput }), { _tag: "Command", argv: null })
    assert.deepStrictEqual(actionIn({ kind: "execute", title: "ls" }), {
      _tag: "Command",
      text: "ls",
      argv: null,
      directories: []
    })
  })

  it("is a command with all of its arguments, and known to no rule where its input says more", () => {
    const run = (rawInput: JsonObject) => actionIn({ kind: "execute", rawInput })
    assert.containSubset(run({ command: "git", args: ["push", "-f"] }), {
      text: "git push -f",
      argv: ["git", "push", "-f"]
    })
    for (const args of ["push", { remote: "x" }])
      assert.notDeepEqual(run({ command: "git", args }), run({ command: "git" }), JSON.stringify(args))
    for (const more of [{ env: { PATH: "/repo" } }, { stdin: "x" }, { shell: "/repo/sh" }, { url: "http://a.test" }])
      assert.containSubset(run({ command: "git status", ...more }), { _tag: "Command", argv: null })
    assert.containSubset(run({ command: ["/repo/bash", "-c", "git status"] }), { argv: null })
    const plain = { command: "git status", description: "x", timeout: 1, run_in_background: true, url: null }
    assert.containSubset(run(plain), { argv: ["git", "status"], directories: [] })
    for (const key of ["cwd", "workdir", "directory", "dir_path", "workingDirectory", "working_dir"])
      assert.containSubset(run({ command: "make", [key]: "/x" }), { argv: ["make"], directories: ["/x"] }, key)
  })

  it("names every file that its input, its locations and its diffs name, at any depth", () => {
    const call = {
      kind: "edit",
      title: "Edit a.ts",
      rawInput: { filePath: "a.ts", edits: [{ path: "/etc/b" }], targets: { files: ["c", "d"] }, new_string: "path" },
      locations: [{ path: "e" }],
      content: [{ type: "diff", path: "f", newText: "" }]
    }
    const action = actionIn(call)
    assert.deepStrictEqual(action._tag === "Edit" ? [...action.paths].sort() : [], [
      "/etc/b",
      "a.ts",
      "c",
      "d",
      "e",
      "f"
    ])
    // Whatever an agent calls the other end of a move.
    for (const key of ["destination", "dest", "target", "to", "newLocation"])
      assert.deepStrictEqual(actionIn({ kind: "move", rawInput: { path: "a", [key]: "/etc/b" } }), {
        _tag: "Edit",
        paths: ["a", "/etc/b"]
      })
    assert.deepStrictEqual(actionIn({ kind: "move", rawInput: { path: "a", name: "/etc/b" } }), {
      _tag: "Edit",
      paths: []
    })
    const move = actionIn({ kind: "move", rawInput: { changes: { "a.ts": { move_path: "../b.ts" } } } })
    assert.deepStrictEqual(move, { _tag: "Edit", paths: ["a.ts", "../b.ts"] })
  })

  it("is a search here only where neither a path nor its pattern leads elsewhere", () => {
    const search = (rawInput: JsonObject) => actionIn({ kind: "search", rawInput })
    assert.deepStrictEqual(search({ pattern: "**/*.ts" }), { _tag: "Read", paths: ["."] })
    assert.deepStrictEqual(search({ pattern: "x", path: "/etc" }), { _tag: "Read", paths: ["/etc"] })
    for (const pattern of ["/etc/*", "~/x", "../*", "a/../../b", ".."])
      assert.deepStrictEqual(search({ pattern }), { _tag: "Read", paths: [] }, pattern)
    for (const input of [{ pattern: "../*" }, { pattern: "x", glob: "/etc/*" }, { include: ["{a,/etc}/*"] }])
      assert.deepStrictEqual(search({ ...input, path: "." }), { _tag: "Read", paths: [] }, JSON.stringify(input))
  })

  it("reaches the network where it takes an address, also as a read", () => {
    const action = actionIn({ kind: "read", rawInput: { url: "https://a.test/x" }, locations: [{ path: "a" }] })
    assert.deepStrictEqual(action, { _tag: "Network", host: "a.test" })
  })

  it("is that of an MCP tool by the name that Claude gives it, and else of nothing known", () => {
    assert.deepStrictEqual(actionIn({ kind: "other", title: "mcp__files__write" }), {
      _tag: "McpTool",
      server: "files",
      tool: "write"
    })
    // Its input is its server's, so a rule for a command or a path does not mean it.
    const call = { _meta: { claudeCode: { toolName: "mcp__files__write" } }, kind: "edit", title: "x" }
    for (const rawInput of [{ command: "git status" }, { path: "a.txt" }, { url: "http://a.test" }])
      assert.deepStrictEqual(actionIn({ ...call, rawInput }), { _tag: "McpTool", server: "files", tool: "write" })
    // A title is what the agent says of itself.
    assert.deepStrictEqual(actionIn({ kind: "edit", title: "mcp__files__write", rawInput: { path: "a" } }), {
      _tag: "Edit",
      paths: ["a"]
    })
    assert.deepStrictEqual(actionIn({ kind: "think", title: "hm" }), { _tag: "Other" })
  })

  it("is a sub-agent where it does no more than start one, by Claude's own name of the tool", () => {
    const delegation = (rawInput: JsonObject, toolName = "Agent") =>
      actionIn({ kind: "think", title: "x", rawInput, _meta: { claudeCode: { toolName } } })
    const input = { description: "x", prompt: "y", subagent_type: "Explore" }
    assert.deepStrictEqual(delegation(input), { _tag: "SubAgent" })
    assert.deepStrictEqual(delegation(input, "Task"), { _tag: "SubAgent" })
    assert.deepStrictEqual(delegation({ ...input, isolation: "worktree" }), { _tag: "Other" })
    assert.deepStrictEqual(delegation({}), { _tag: "Other" })
    assert.deepStrictEqual(actionIn({ kind: "think", title: "Agent", rawInput: input }), { _tag: "Other" })
  })

  it("keeps every path of the earlier updates, and a command that was named once", () => {
    const first = factsIn({ kind: "edit", rawInput: { path: "../out" } })
    const later = merged(first, factsIn({ locations: [{ path: "in" }] }))
    assert.deepStrictEqual(actionOf(later), { _tag: "Edit", paths: ["../out", "in"] })
    const command = merged(factsIn({ rawInput: { command: "rm x" } }), factsIn({ kind: "read", title: "Read x" }))
    assert.containSubset(actionOf(command), { _tag: "Command", text: "rm x" })
  })
})
