/**
 * A session's MCP servers, as keys of a thread's `config`. Codex has no SSE.
 *
 * Codex runs a tool whose server calls it read-only unasked, under every word (0.171); with `prompt` it asks for each call,
 * and refuses it where it may not ask. The words decide then, as for everything else. It counts before what CODEX_HOME has
 * of a server of the same name.
 */
import { Effect } from "effect"
import type { JsonObject } from "../../domain/json.ts"
import type { McpServer } from "../../domain/McpServer.ts"
import { transportOf } from "../../domain/McpServer.ts"
import { AgentFailed } from "../Agent.ts"
import type { ConfiguredServers } from "./configuredServers.ts"

export const transports = ["stdio", "http"] as const

export const mcpServersConfig = (
  servers: ReadonlyArray<McpServer>,
  configured: ConfiguredServers
): Effect.Effect<JsonObject, AgentFailed> => {
  const unsupported = servers.find((server) => transportOf(server) === "sse")
  if (unsupported !== undefined) {
    const message = `Codex can't reach the MCP server ${JSON.stringify(unsupported.name)}: it has stdio and http, and no sse.`
    return Effect.fail(new AgentFailed({ class: "config", message }))
  }
  return Effect.succeed(
    Object.fromEntries(servers.map((server) => [`mcp_servers.${server.name}`, specOf(server, configured)]))
  )
}

const specOf = (server: McpServer, configured: ConfiguredServers): JsonObject => {
  // Codex merges what its configuration has of a server of this name, and a tool's own setting counts before the default.
  const tools = (configured.get(server.name) ?? []).map((tool) => [tool, { approval_mode: "prompt" }] as const)
  const policy = {
    enabled: true,
    required: false,
    default_tools_approval_mode: "prompt",
    ...(tools.length === 0 ? {} : { tools: Object.fromEntries(tools) })
  }
  return "command" in server
    ? { command: server.command, args: server.args ?? [], env: server.env ?? {}, ...policy }
    : { url: server.url, http_headers: server.headers ?? {}, ...policy }
}
