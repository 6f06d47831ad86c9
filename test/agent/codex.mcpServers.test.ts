/** What codex is told of MCP servers, a session's and its own, over stdio. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import type { PermissionPolicy } from "../../src/domain/Permissions.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { hello, on, reply, say, scripted, started, turnEnds, turning } from "./codex.agent.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's MCP servers", (it) => {
  it.effect("the MCP servers of codex's configuration are asked for, too, unless everything is approved", () =>
    Effect.gen(function* () {
      const mcp_servers = {
        own: { command: "own", tools: { poke: { approval_mode: "approve" } } },
        tickets: { command: "tickets", tools: { close: { approval_mode: "approve" } } }
      }
      const configOf = Effect.fnUntraced(function* (permissions: PermissionPolicy) {
        const changes = { permissions, mcpServers: [{ name: "tickets", command: "other" }] }
        const script = [
          ...hello,
          on(91, "config/read"),
          reply(91, { config: { mcp_servers } }),
          ...started.slice(hello.length)
        ]
        const { opening, wire } = yield* scripted(script, "deny", changes)
        yield* opening
        const start = (yield* wire).find(({ method }) => method === "thread/start")
        return start?.params?.["config"] as Record<string, unknown>
      })
      for (const word of ["deny", "approve_reads", "ask", "approve_edits"] as const) {
        const config = yield* configOf(word)
        assert.deepInclude(config, {
          "mcp_servers.own.default_tools_approval_mode": "prompt",
          "mcp_servers.own.tools.poke.approval_mode": "prompt"
        })
        assert.deepInclude(config["mcp_servers.tickets"], { tools: { close: { approval_mode: "prompt" } } })
      }
      assert.notInclude(JSON.stringify(yield* configOf("approve_all")), "mcp_servers.own")
    })
  )

  it.effect("an MCP server over SSE fails the start, which names it", () =>
    Effect.gen(function* () {
      const mcpServers = [{ name: "old", type: "sse", url: "http://127.0.0.1:1" }] as const
      const { opening } = yield* scripted(hello, "deny", { mcpServers })
      assert.match((yield* Effect.flip(opening)).message, /can't reach the MCP server "old".*no sse/)
    })
  )

  it.effect("a server of the session that did not start is reported once; one of codex's own is a warning", () =>
    Effect.gen(function* () {
      const failed = (name: string) =>
        say("mcpServer/startupStatus/updated", { name, status: "failed", error: "no such program" })
      const { facts, opening, until } = yield* scripted(
        [...turning, failed("ours"), failed("ours"), failed("theirs"), turnEnds("completed")],
        "deny",
        { mcpServers: [{ name: "ours", command: "ours" }] }
      )
      yield* (yield* opening).prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      assert.deepStrictEqual(
        facts.filter(({ _tag }) => _tag === "McpFailed"),
        [{ _tag: "McpFailed", turn: null, server: "ours", message: "no such program" }]
      )
      const warnings = facts.filter((fact) => fact._tag === "Update" && JSON.stringify(fact).includes("troupe/warning"))
      assert.strictEqual(warnings.length, 1)
    })
  )
})
