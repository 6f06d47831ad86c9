/** The tools of a request: of OpenAI's kinds one is an agent's, too, MCP servers. */
import { Schema } from "effect"
import { objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { McpServer } from "../../domain/McpServer.ts"
import { invalid, unsupported } from "../responses/errors.ts"
import { checkParameters, fields, never, oneOf, taken } from "./parameters.ts"
import type { Parameters } from "./parameters.ts"
import type { AgentToolParam } from "./sdk.ts"

type McpTool = Extract<AgentToolParam, { readonly type: "mcp" }>
type Transport<Type> = Extract<McpTool["transport"], { readonly type: Type }>

const mcp: Parameters<McpTool> = {
  type: taken,
  server_label: taken,
  transport: taken,
  allowed_tools: ["has no counterpart: the agent gets all tools of the server.", never],
  connection_origin: ["must be service or environment.", oneOf("service", "environment")],
  credential_id: ["has no counterpart: give the server its credentials in its transport.", never],
  request_metadata: ["has no counterpart: send it in the transport's headers.", fields({})],
  required: ["has no counterpart: the session goes on without a server that does not start, and says so.", oneOf(false)]
}

const http: Parameters<Transport<"http">> = { type: taken, server_url: taken, authorization: taken, headers: taken }

const stdio: Parameters<Transport<"stdio">> = {
  type: taken,
  command: taken,
  args: taken,
  env: taken,
  // The server's program starts where the session works.
  cwd: ["has no counterpart: the server starts in the session's directory. Give its command absolute.", oneOf("", ".")],
  env_vars: ["has no counterpart: send the variables themselves in env.", (value) => JSON.stringify(value) === "[]"]
}

/** What asks for nothing: it turns something off that an agent does not have. */
const turnedOff: Readonly<Record<string, (tool: JsonObject) => boolean>> = {
  programmatic_tool_calling: ({ enabled }) => enabled === false
}

export const readTools = (tools: unknown): ReadonlyArray<McpServer> => {
  if (!Array.isArray(tools)) throw invalid("agent.tools", "must be a list.")
  return tools.flatMap((value, nth) => {
    const at = `agent.tools[${nth}]`
    const tool = objectIn(value)
    if (typeof tool["type"] !== "string") throw invalid(`${at}.type`, "must be the name of a kind of tools.")
    if (tool["type"] === "mcp") return [readServer(value, at)]
    if (Object.hasOwn(turnedOff, tool["type"]) && turnedOff[tool["type"]]!(tool)) return []
    throw unsupported(
      at,
      "has no counterpart: an agent has tools of its own, and runs them itself. It takes further ones of type mcp."
    )
  })
}

const isMcpServer = Schema.is(McpServer)

const readServer = (value: unknown, at: string): McpServer => {
  const { server_label: name, transport } = checkParameters(value, mcp, at)
  const server = { name, ...readTransport(transport, `${at}.transport`) }
  if (isMcpServer(server)) return server
  throw invalid(
    at,
    "must have a server_label of 1 to 64 letters, digits, _ or -, and a transport of type http with a server_url, or of type stdio with a command. Headers and variables are texts."
  )
}

const readTransport = (value: unknown, at: string): JsonObject => {
  const { type } = objectIn(value)
  if (type === "http") {
    const { authorization, headers, server_url: url } = checkParameters(value, http, at)
    const all = { ...objectIn(headers), ...(authorization ? { Authorization: authorization } : {}) }
    return { type, url, ...(Object.keys(all).length === 0 ? {} : { headers: all }) }
  }
  if (type === "stdio") {
    const { args, command, env } = checkParameters(value, stdio, at)
    return { type, command, ...(args ? { args } : {}), ...(env ? { env } : {}) }
  }
  throw invalid(`${at}.type`, "must be http or stdio.")
}
