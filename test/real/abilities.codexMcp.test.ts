/** A session's MCP servers on the real codex: that they are reached, that their calls are asked for, and those that fail. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { appendFileSync, existsSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { AgentFact } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { McpServer } from "../../src/domain/McpServer.ts"
import { scene } from "./harness/codexDriver.ts"
import { resultOf } from "./harness/mcpResults.ts"
import { until } from "./harness/until.ts"

/** The same server over HTTP. It takes only requests with this header, and notes the tools that are called. */
const overHttp = (authorization: string) =>
  Effect.gen(function* () {
    const called: Array<unknown> = []
    let refused = 0
    const server = createServer(async (request, response) => {
      let text = ""
      for await (const chunk of request) text += chunk
      if (request.headers.authorization !== authorization) {
        refused += 1
        response.writeHead(401).end()
        return
      }
      if (request.method !== "POST") return void response.writeHead(405).end()
      const message = JSON.parse(text)
      if (message.id === undefined) return void response.writeHead(202).end()
      if (message.method === "tools/call") called.push(message.params)
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message) }))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}/mcp`, called, refused: () => refused }
  })

const mcpWords = [
  ["deny", false],
  ["approve_reads", false],
  ["ask", true],
  ["approve_edits", true],
  ["approve_all", true]
] as const

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's MCP servers", (it) => {
  const server = (name: string, ...args: ReadonlyArray<string>): McpServer => ({
    name,
    command: process.execPath,
    args: [join(import.meta.dirname, "harness/mcpServer.ts"), ...args]
  })

  it.effect(
    "one that does not start is reported without its secrets, and the session lives, also when it is resumed",
    () =>
      Effect.gen(function* () {
        const { open } = yield* scene
        const mcpServers: ReadonlyArray<McpServer> = [
          { name: "broken", command: "/nonexistent/program", env: { LEVEL: "a plain secret of the server" } },
          {
            name: "away",
            type: "http",
            url: "http://127.0.0.1:1/mcp",
            headers: { Authorization: "Bearer 0f9c2-secret" }
          }
        ]
        const failed =
          (name: string) =>
          (fact: AgentFact): fact is Extract<AgentFact, { _tag: "McpFailed" }> =>
            fact._tag === "McpFailed" && fact.server === name
        const attempt = Effect.fnUntraced(function* (thread: string | null) {
          const session = yield* open({ mcpServers, thread })
          yield* session.until("the failure of one", failed("broken"))
          yield* session.until("the failure of the other", failed("away"))
          assert.isNull((yield* session.turn("hello")).failure)
          assert.notMatch(JSON.stringify(session.facts), /plain secret|0f9c2/)
          assert.strictEqual(session.facts.filter(({ _tag }) => _tag === "McpFailed").length, 2)
          yield* session.end
          return session.connection.thread
        })
        yield* attempt(yield* attempt(null))
      })
  )

  it.effect.each(mcpWords)(
    "under %s its tool is never called unasked, also one that its server calls read-only",
    ([word, asks]) =>
      Effect.gen(function* () {
        const { asked, at, open } = yield* scene
        const mcpServers = [server("traces", at("traces")), server("reads", at("reads"), "read-only")]
        const session = yield* open({ permissions: word, mcpServers })
        yield* until("the servers' start", () => existsSync(at("traces.started")) && existsSync(at("reads.started")))
        // The turn before lets both be ready, and codex offer them.
        yield* session.turn("hello")
        const refusal = asks ? "user rejected MCP tool call" : "requires approval, but approval policy is never"
        for (const name of ["traces", "reads"]) {
          yield* session.turn(`MCP:${name}/poke\nSAY:as you wish`)
          assert.include(JSON.stringify(asked().input.at(-1)), refusal)
        }
        assert.deepStrictEqual(
          session.approvals.map(({ action }) => action),
          !asks ? [] : ["traces", "reads"].map((name) => ({ _tag: "McpTool" as const, server: name, tool: null }))
        )
        assert.isFalse(existsSync(at("traces.called")) || existsSync(at("reads.called")))
      })
  )

  it.effect.each(mcpWords.filter(([word]) => word !== "approve_all"))(
    "under %s a tool of codex's own configuration is never called unasked, also one that it approves",
    ([word, asks]) =>
      Effect.gen(function* () {
        const { asked, at, open } = yield* scene
        const program = JSON.stringify(process.execPath)
        const args = JSON.stringify([join(import.meta.dirname, "harness/mcpServer.ts"), at("operators"), "read-only"])
        appendFileSync(
          at("codex/config.toml"),
          `\n[mcp_servers.operators]\ncommand = ${program}\nargs = ${args}\n[mcp_servers.operators.tools.poke]\napproval_mode = "approve"\n`
        )
        const session = yield* open({ permissions: word })
        yield* until("the server's start", () => existsSync(at("operators.started")))
        yield* session.turn("hello")
        yield* session.turn(`MCP:operators/poke\nSAY:as you wish`)
        const refusal = asks ? "user rejected MCP tool call" : "requires approval, but approval policy is never"
        assert.include(JSON.stringify(asked().input.at(-1)), refusal)
        assert.lengthOf(session.approvals, asks ? 1 : 0)
        assert.isFalse(existsSync(at("operators.called")))
      })
  )

  it.effect(
    "one over http gets its headers, its tool is called when a person says so, and its question reaches a person",
    () =>
      Effect.gen(function* () {
        const { asked, at, open } = yield* scene
        const web = yield* overHttp("Bearer 0f9c2-secret-of-the-test")
        const session = yield* open(
          {
            permissions: "ask",
            questions: true,
            approve: () => Effect.succeed("once"),
            mcpServers: [
              {
                name: "web",
                type: "http",
                url: web.url,
                headers: { Authorization: "Bearer 0f9c2-secret-of-the-test" }
              },
              server("asks", at("asks"), "asks")
            ]
          },
          { colour: "grey" }
        )
        yield* until("the server's start", () => existsSync(at("asks.started")))
        yield* session.turn("hello")
        yield* session.turn("MCP:web/poke\nSAY:thanks")
        assert.include(JSON.stringify(asked().input.at(-1)), "poked")
        assert.deepStrictEqual([web.called.length, web.refused()], [1, 0])
        yield* session.turn("MCP:asks/poke\nSAY:thanks")
        assert.include(JSON.stringify(asked().input.at(-1)), "grey")
        assert.deepStrictEqual(
          session.questions.map(({ fields, title, turn }) => [title, turn, fields.map(({ id, label }) => [id, label])]),
          [["asks: Which colour?", 3, [["colour", "Colour"]]]]
        )
      })
  )
})
