/** Troupe as an MCP server: the official SDK's client over stdio and over HTTP, with the real program and the demo agent. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { dirname } from "node:path"
import { main } from "../builtProgram.ts"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- what a tool has answered, whose schema the SDK has checked
type Report = Readonly<Record<string, any>>

interface Host {
  readonly client: Client
  /** What a tool has answered with. */
  readonly call: (name: string, args?: object, options?: object) => Promise<Report>
  /** The text of the error that a tool has answered with. */
  readonly refused: (name: string, args?: object) => Promise<string>
}

const hostOf = (client: Client): Host => {
  const ask = (name: string, args: object = {}, options: object = {}) =>
    client.callTool({ name, arguments: args as Record<string, unknown> }, options)
  return {
    client,
    call: async (name, args, options) => {
      const { content, isError, structuredContent } = await ask(name, args, options)
      assert.isNotTrue(isError, JSON.stringify(content))
      const [text] = content as ReadonlyArray<{ readonly text?: string }>
      assert.deepStrictEqual(JSON.parse(text?.text ?? ""), structuredContent)
      return structuredContent as Report
    },
    refused: async (name, args) => {
      const { content, isError } = await ask(name, args)
      assert.isTrue(isError)
      return (content as ReadonlyArray<{ readonly text: string }>)[0]!.text
    }
  }
}

/** A client that speaks the revision of 2025, or that of 2026. */
const newClient = (isModern = false) =>
  new Client({ name: "a-host", version: "1.0.0" }, isModern ? { versionNegotiation: { mode: "auto" } } : {})

let workspace: Workspace
let server: Server
let other: string
const closing: Array<() => Promise<unknown>> = []

const overStdio = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const client = newClient()
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, "mcp", ...args],
    cwd: workspace.cwd,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: workspace.cwd, ...env }
  })
  closing.push(() => client.close())
  await client.connect(transport)
  return { ...hostOf(client), pid: transport.pid }
}

const overHttp = async (token: string, isModern = false) => {
  const client = newClient(isModern)
  const headers = { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers } }))
  closing.push(() => client.close())
  return hostOf(client)
}

beforeAll(async () => {
  workspace = makeWorkspace()
  server = await openServer(workspace)
  const { stdout } = await workspace.run(["app", "create", "other"])
  other = stdout.trim().split("\n")[0]!
}, 60_000)
afterAll(async () => {
  await Promise.allSettled(closing.map((close) => close()))
  await workspace.cleanUp()
})

describe("troupe mcp", () => {
  it("has a session in its own process: one turn is waited for by several calls, and goes on after any of them", async () => {
    const { call, client, refused } = await overStdio(["--data-dir", "in-process", "--agent", "demo"])
    const { tools } = await client.listTools()
    assert.deepStrictEqual(
      tools.map(({ annotations, name }) => [name, annotations?.readOnlyHint]),
      [
        ["agent_start", false],
        ["agent_send", false],
        ["agent_wait", true],
        ["agent_status", true],
        ["agent_cancel", false],
        ["agent_answer", false],
        ["sessions_list", true],
        ["messages", true],
        ["agents_list", true]
      ]
    )
    assert.isTrue(
      tools.every(({ inputSchema, outputSchema }) => inputSchema.type === "object" && outputSchema !== undefined)
    )

    const start = { prompt: "slow 30 50\nhello", idempotency_key: "the-first" }
    const started = await call("agent_start", start)
    assert.deepInclude(started, { agent: "demo", turn: 1, done: false, final_text: null })
    const { session_id } = started
    // Its answer was lost, and the host has sent it again.
    assert.deepInclude(await call("agent_start", start), { session_id, turn: 1 })
    assert.match(await refused("agent_send", { session_id, prompt: "more" }), /^turn_in_progress: .*agent_wait/)

    const progress: Array<string> = []
    const waited = await call(
      "agent_wait",
      { session_id, wait_s: 0.3 },
      { onprogress: ({ message }: { readonly message: string }) => progress.push(message) }
    )
    assert.deepInclude(waited, { turn: 1, status: "running", done: false })
    assert.match(waited["next"], /^Still running: agent_wait with session_id .* turn 1, cursor \d+/)
    assert.include(progress, "turn submitted")
    const ended = await call("agent_wait", { session_id, turn: 1, cursor: waited["cursor"] })
    assert.deepInclude(ended, { status: "completed", done: true, error: null })
    assert.match(ended["final_text"], /word30 \nYou said: hello \(turn 1\)$/)
    assert.deepStrictEqual(ended["activity"], ["turn ended"])
    assert.isAbove(ended["usage"].total_tokens, 0)
    assert.deepInclude(await call("agent_status", { session_id }), { cwd: workspace.cwd, turns: 1, permissions: "ask" })
  })

  it("has the agent's questions answered, and stops a turn, on a server that goes on without it", async () => {
    const env = { TROUPE_TOKEN: server.token }
    const host = await overStdio(["--url", server.url, "--agent", "demo"], env)
    const { session_id, ...asking } = await host.call("agent_start", { prompt: "ask execute", wait_s: 30 })
    assert.deepInclude(asking, { status: "needs_answer", done: false })
    const [{ approval_id, kind }] = asking["approvals"]
    assert.strictEqual(kind, "execute")
    const answer = { session_id, approval_id, decision: "once" }
    assert.deepInclude(await host.call("agent_answer", answer), { status: "answered", decision: "once", turn: 1 })
    assert.match(await host.refused("agent_answer", answer), /^approval_settled: .*agent_wait/)
    assert.deepInclude(await host.call("agent_wait", { session_id }), { final_text: "The client said: allow-once" })

    await host.call("agent_send", { session_id, prompt: "form" })
    const form = await host.call("agent_wait", { session_id })
    const [question] = form["approvals"]
    assert.isAbove(question.fields.length, 0)
    await host.call("agent_answer", { session_id, approval_id: question.approval_id, decision: "deny" })
    await host.call("agent_wait", { session_id })

    assert.deepInclude(await host.call("agent_send", { session_id, prompt: "hang" }), { turn: 3 })
    assert.deepInclude(await host.call("agent_send", { session_id, prompt: "later", queue: true }), {
      status: "queued"
    })
    // The host is gone in the middle of a turn, and another one comes.
    await host.client.close()
    const next = await overHttp(server.token)
    const { sessions } = await next.call("sessions_list", { state: "turning" })
    assert.deepInclude(sessions[0], { session_id, turns: 4 })
    assert.deepInclude(await next.call("agent_cancel", { session_id, turn: 3 }), { interrupted: true, closed: false })
    assert.deepInclude(await next.call("agent_wait", { session_id, turn: 3 }), { status: "interrupted", done: true })
    assert.deepInclude(await next.call("agent_wait", { session_id }), { turn: 4, status: "completed" })
    const { messages, next_after_turn } = await next.call("messages", { session_id, after_turn: 2, limit: 1 })
    assert.deepStrictEqual([messages[0], next_after_turn], [{ turn: 3, role: "user", text: "hang", tool_calls: [] }, 3])
    const uri = `troupe://sessions/${session_id}`
    const { resources } = await next.client.listResources()
    assert.include(
      resources.map((resource) => resource.uri),
      uri
    )
    const [{ text }] = (await next.client.readResource({ uri })).contents as unknown as [{ readonly text: string }]
    assert.match(text, /## user\n\nask execute\n\n[^]*The client said: allow-once[^]*## user\n\nlater/)
    assert.deepInclude(await next.call("agent_cancel", { session_id, close: true }), { closed: true })
    assert.match(await next.refused("agent_send", { session_id, prompt: "hello" }), /^session_closed: .*agent_start/)
  })

  it("says why it does not start, on stderr and with nothing on stdout", async () => {
    const nowhere = await workspace.run(["mcp", "--url", "http://127.0.0.1:9", "--token", "x"])
    assert.deepInclude(nowhere, { code: 1, stdout: "" })
    assert.match(nowhere.stderr, /^troupe: No Troupe answers at http:\/\/127\.0\.0\.1:9 /)
  })
})

describe("/mcp", () => {
  it.each([
    ["2025-11-25", false],
    ["2026-07-28", true]
  ])("serves the protocol of %s", async (version, isModern) => {
    const { call, client } = await overHttp(server.token, isModern)
    assert.strictEqual(client.getNegotiatedProtocolVersion(), version)
    const { agents } = await call("agents_list")
    assert.include(
      agents.map(({ name }: Report) => name),
      "demo"
    )
    assert.deepInclude(await call("agent_start", { agent: "demo", prompt: "hello", wait_s: 30 }), {
      status: "completed",
      final_text: "You said: hello (turn 1)"
    })
  })

  it("keeps apps apart, and answers nobody without a token", async () => {
    const [ours, theirs] = await Promise.all([overHttp(server.token), overHttp(other)])
    const { session_id } = await ours.call("agent_start", {
      agent: "demo",
      permissions: "ask",
      prompt: "ask read",
      wait_s: 30
    })
    const unknown = await theirs.refused("agent_status", { session_id: "ses_nobodys" })
    const [{ approval_id }] = (await ours.call("agent_status", { session_id }))["approvals"]
    for (const [name, args] of [
      ["agent_status", {}],
      ["agent_wait", {}],
      ["agent_send", { prompt: "hello" }],
      ["agent_cancel", { close: true }],
      ["agent_answer", { approval_id, decision: "once" }],
      ["messages", {}]
    ] as const) {
      assert.strictEqual(await theirs.refused(name, { session_id, ...args }), unknown, name)
    }
    assert.deepStrictEqual((await theirs.call("sessions_list"))["count"], 0)
    const reading = theirs.client.readResource({ uri: `troupe://sessions/${session_id}` })
    assert.match(String(await reading.catch((error: unknown) => error)), /No session of this app has that id/)
    assert.deepInclude(await ours.call("agent_status", { session_id }), { state: "turning" })

    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" }
    const nobody = await fetch(`${server.url}/mcp`, { method: "POST", headers, body })
    assert.deepStrictEqual([nobody.status, nobody.headers.get("www-authenticate")], [401, "Bearer"])
    const refused = (await nobody.json()) as Report
    assert.deepInclude(refused, { jsonrpc: "2.0", id: null })
    assert.deepInclude(refused["error"], { code: -32000, data: { code: "unauthorized" } })
    const page = { ...headers, authorization: `Bearer ${server.token}`, origin: "http://elsewhere.example" }
    assert.strictEqual((await fetch(`${server.url}/mcp`, { method: "POST", headers: page, body })).status, 403)
  })

  it("says what is wrong with arguments, and refuses what has no meaning", async () => {
    const { refused } = await overHttp(server.token)
    const [misspelt, tooLong, nobody, nowhere] = await Promise.all([
      refused("agent_wait", { session: "x" }),
      refused("agent_wait", { session_id: "x", wait_s: 601 }),
      refused("agent_start", { agent: "nobody" }),
      refused("agent_start", { agent: "demo", cwd: "/nonexistent" })
    ])
    assert.match(misspelt, /session is not a known argument \(did you mean `session_id`\?\)/)
    assert.match(tooLong, /wait_s must be a value between 0 and 600/)
    assert.match(nobody, /^unknown_agent: .*agents_list/)
    assert.match(nowhere, /^invalid_request: cwd must be a directory that exists/)
  })
})
