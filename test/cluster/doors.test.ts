/** Clients of other protocols at one node, with sessions that another node owns. */
import { assert, describe, it } from "@effect/vitest"
import { methods } from "@agentclientprotocol/sdk"
import type { Stream } from "@agentclientprotocol/sdk"
import { createWebSocketStream } from "@agentclientprotocol/sdk/experimental/ws-client"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { randomUUID } from "node:crypto"
import { tmpdir } from "node:os"
import OpenAI from "openai"
import { WebSocket } from "ws"
import { connect } from "../doors/acp/client.ts"
import { loadClient, ran } from "../doors/agui/client.ts"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { onCluster } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

const headersOf = ({ token }: ClusterNode) => ({ authorization: `Bearer ${token}` })

const acpOf = (node: ClusterNode) =>
  connect(
    createWebSocketStream(`${node.url.replace("http", "ws")}/acp`, {
      headers: headersOf(node),
      WebSocket: WebSocket as never
    }) as Stream,
    { permission: () => "once" }
  )

const mcpOf = async (node: ClusterNode) => {
  const client = new Client({ name: "a-host", version: "1.0.0" })
  const requestInit = { headers: headersOf(node) }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${node.url}/mcp`), { requestInit }))
  const call = async (name: string, args: Record<string, unknown>) => {
    const { content, isError, structuredContent } = await client.callTool({ name, arguments: args })
    assert.isNotTrue(isError, JSON.stringify(content))
    return structuredContent as Readonly<Record<string, unknown>>
  }
  return { client, call }
}

/** An agent works at the node that is asked first: that has its directory. */
const here = { cwd: tmpdir(), permissions: "ask" }

const agui = async (first: ClusterNode, second: ClusterNode) => {
  const HttpAgent = loadClient()
  const agentAt = (node: ClusterNode, threadId: string) =>
    new HttpAgent({ url: `${node.url}/ag-ui/demo`, headers: headersOf(node), threadId })
  const one = agentAt(first, randomUUID())
  await ran(one, "ask-tool echo granted", { forwardedProps: { troupe: here } })
  const [interrupt] = one.pendingInterrupts
  const other = agentAt(second, one.threadId)
  other.messages = one.messages
  const resume = [{ interruptId: interrupt!.id, status: "resolved" as const, payload: { approved: true } }]
  const resumed = await ran(other, null, { resume })
  assert.deepInclude(resumed.last as object, { outcome: { type: "success" } })
  assert.include(JSON.stringify(resumed.newMessages), "granted")

  // A thread that begins at both has one session.
  const threadId = randomUUID()
  const runs = await Promise.allSettled(
    [first, second, first, second].map((node, nth) => ran(agentAt(node, threadId), `hello ${nth}`))
  )
  const begun = runs.flatMap((run) => (run.status === "fulfilled" ? [run.value] : []))
  const sessions = begun.flatMap(({ events }) =>
    events.flatMap(({ value }) => (value as { sessionId?: string })?.sessionId ?? [])
  )
  assert.isNotEmpty(sessions)
  assert.strictEqual(new Set(sessions).size, 1, sessions.join())
}

const responses = async (first: ClusterNode, second: ClusterNode) => {
  const at = ({ token, url }: ClusterNode) => new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 })
  const begun = await at(first).responses.create({
    model: "demo",
    input: "slow 5 50",
    metadata: { cwd: here.cwd },
    background: true
  })
  let text = ""
  for await (const event of await at(second).responses.retrieve(begun.id, { stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta
  }
  assert.strictEqual(text, "word1 word2 word3 word4 word5 ")
  const next = await at(second).responses.create({ model: "demo", input: "recall", previous_response_id: begun.id })
  assert.include(next.output_text, "slow 5 50")
}

const agentsApi = async (first: ClusterNode, second: ClusterNode) => {
  const at = ({ token, url }: ClusterNode) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 }).beta.agents.sessions
  const created = await at(first).create({
    agent_id: "demo",
    environment: { type: "self_hosted", workspace_directory: here.cwd },
    metadata: { permissions: "ask" },
    input: "ask-tool echo granted",
    stream: true
  })
  let last = ""
  let id = ""
  for await (const event of created) {
    last = event.event_id
    if (event.type === "agent.session.created") id = event.session.id
    if (event.type === "agent.session.turn.in_progress") break
  }
  let text = ""
  for await (const event of await at(second).events.stream(id, { query: { after: last } })) {
    if (event.type === "agent.session.requires_action") {
      const [action] = event.session.required_actions
      assert(action?.type === "function_call")
      const { call_id, turn_id } = action
      const answer = {
        type: "agent.session.input.tool_result",
        call_id,
        turn_id,
        success: true,
        output: "once"
      } as const
      await at(second).events.create(id, { events: [answer] })
    }
    if (event.type === "agent.session.turn.output_text.delta") text += event.delta
    if (event.type === "agent.session.idle") break
  }
  assert.include(text, "granted")
  const next = await at(second).stream(id, { input: "recall" }).finalResult()
  assert.include(next.output_text, "ask-tool echo granted")
}

const mcp = async (first: ClusterNode, second: ClusterNode) => {
  const [one, two] = [await mcpOf(first), await mcpOf(second)]
  const { session_id, turn } = await one.call("agent_start", { agent: "demo", ...here, prompt: "ask read", wait_s: 30 })
  const { approvals } = (await two.call("agent_status", { session_id })) as {
    readonly approvals: ReadonlyArray<{ readonly approval_id: string }>
  }
  await two.call("agent_answer", { session_id, approval_id: approvals[0]!.approval_id, decision: "once" })
  assert.include(
    JSON.stringify(await two.call("agent_wait", { session_id, turn, wait_s: 30 })),
    "The client said: allow"
  )
  await Promise.all([one.client.close(), two.client.close()])
}

const acp = async (first: ClusterNode, second: ClusterNode) => {
  const [one, two] = [await acpOf(first), await acpOf(second)]
  const { sessionId } = await one.request(methods.agent.session.new, { cwd: here.cwd, mcpServers: [] })
  await one.prompt(sessionId, "remember the spanner")
  await two.request(methods.agent.session.load, { sessionId, cwd: here.cwd, mcpServers: [] })
  assert.deepInclude(await two.prompt(sessionId, "recall\nask execute"), { stopReason: "end_turn" })
  assert.include(two.textOf(sessionId), "spanner")
  await one.said(sessionId, "The client said: allow")
  await two.request(methods.agent.session.close, { sessionId })
  one.connection.close()
  two.connection.close()
}

const env = { TROUPE_AGENTS_API: "true" }

describe.skipIf(postgres === null)("the doors of two nodes", () => {
  it.live("go on at the second with what was begun at the first", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first", env), await nodes.start("second", env)]
      await Promise.all([agui, responses, agentsApi, mcp, acp].map((door) => door(first, second)))
    })
  )
})
