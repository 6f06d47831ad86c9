/** A real server with the demo agent, and OpenAI's own SDK as its client. */
import { afterAll, assert, beforeAll } from "@effect/vitest"
import OpenAI, { APIError } from "openai"
import type { AgentSession, AgentSessionItem } from "openai/resources/beta/agents/agents"
import { makeWorkspace } from "../../cli/program.ts"
import type { Workspace } from "../../cli/program.ts"
import { openServer } from "../../cli/server.ts"
import type { Server } from "../../cli/server.ts"
import { until } from "../acp/client.ts"

export const environment = { type: "none" } as const

export const turnOn = { TROUPE_AGENTS_API: "true" }

export const say = (text: string) => ({
  type: "agent.session.input.message" as const,
  input: [{ role: "user" as const, content: [{ type: "input_text" as const, text }] }]
})

export const all = async <A>(pages: AsyncIterable<A>): Promise<Array<A>> => {
  const found: Array<A> = []
  for await (const one of pages) found.push(one)
  return found
}

export const textsOf = (items: ReadonlyArray<AgentSessionItem>, role: string) =>
  items.flatMap((item) =>
    item.type === "message" && item.role === role ? item.content.map((part) => ("text" in part ? part.text : "")) : []
  )

export const refusalOf = async (request: Promise<unknown>): Promise<APIError> => {
  try {
    await request
  } catch (error) {
    assert.instanceOf(error, APIError)
    return error
  }
  return assert.fail("it was not refused")
}

/** One for all tests of a file. */
export const world = () => {
  let workspace: Workspace
  let server: Server
  beforeAll(async () => {
    workspace = makeWorkspace()
    server = await openServer(workspace, turnOn)
  }, 60_000)
  afterAll(() => workspace.cleanUp())

  const clientOf = (apiKey: string, more: object = {}) =>
    new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0, ...more })
  const agents = () => clientOf(server.token).beta.agents
  const sessions = () => agents().sessions
  return {
    workspace: () => workspace,
    server: () => server,
    /** Starts it anew after a kill, on the same data dir. */
    restart: async () => {
      server.program.child.kill("SIGKILL")
      await server.program.ended
      server = await openServer(workspace, turnOn)
    },
    /** The token of another app. */
    mint: async (name: string) => (await workspace.run(["app", "create", name])).stdout.trim().split("\n")[0]!,
    clientOf,
    agents,
    sessions,
    open: (more: object = {}): Promise<AgentSession> =>
      sessions().create({
        agent_id: "demo",
        environment,
        ...more
      } as OpenAI.Beta.Agents.SessionCreateParamsNonStreaming),
    send: (id: string, text: string, key?: string) =>
      sessions().events.create(id, { events: [say(text)], ...(key === undefined ? {} : { "Idempotency-Key": key }) }),
    rested: (id: string) => until(async () => (await sessions().retrieve(id)).status === "idle", "its rest"),
    itemsOf: async (id: string) => all(sessions().items.list(id, { order: "asc", limit: 2 }))
  }
}
