/** The MCP servers of a session as ACP has them, and what agents say of one that did not start. */
import { Effect } from "effect"
import type { UpdateMessage } from "../../domain/Acp.ts"
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import { transportOf } from "../../domain/McpServer.ts"
import type { McpServer, McpTransport } from "../../domain/McpServer.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentFact } from "../Agent.ts"
import type { AgentIdentity } from "./failures.ts"

/** ACP's `McpServer`. A server over stdio has no `type` there. */
export const toAcp = (server: McpServer): object =>
  "command" in server
    ? { name: server.name, command: server.command, args: server.args ?? [], env: pairs(server.env) }
    : { type: server.type, name: server.name, url: server.url, headers: pairs(server.headers) }

const pairs = (values: Readonly<Record<string, string>> = {}) =>
  Object.entries(values).map(([name, value]) => ({ name, value }))

/** Refuses servers that the agent can't reach. Every agent starts programs; the other transports it announces. */
export const checkTransports = (
  servers: ReadonlyArray<McpServer>,
  transports: ReadonlyArray<McpTransport>,
  { name }: AgentIdentity
): Effect.Effect<void, AgentFailed> => {
  const unreachable = servers.find((server) => !transports.includes(transportOf(server)))
  if (unreachable === undefined) return Effect.void
  const message = `${name} can't reach the MCP server ${unreachable.name}: it announces no transport "${transportOf(unreachable)}". It has ${transports.join(", ")}. Make a new session without this server, or use another agent.`
  return Effect.fail(new AgentFailed({ class: "config", message }))
}

export type McpFailed = Extract<AgentFact, { readonly _tag: "McpFailed" }>

/**
 * Whether an update says that one of these servers did not start. Claude sends a notice of this title; codex-acp a failed
 * tool call `mcp__<server>__startup` with the reason (both seen, 0.101 and 2.6).
 */
export const failureIn = (
  { params: { update } }: UpdateMessage,
  turn: number | null,
  servers: ReadonlySet<string>
): McpFailed | null => {
  if (servers.size === 0) return null
  const title = nonEmptyTextIn(update["title"]) ?? ""
  const [, quoted, named] =
    update.sessionUpdate === "notice"
      ? (/^MCP server "([^"]+)" (?:failed to start|needs authentication)/.exec(title) ?? [])
      : update.sessionUpdate === "tool_call" && update["status"] === "failed"
        ? (/^()mcp__(.+)__startup$/.exec(title) ?? [])
        : []
  const server = quoted || named
  if (server === undefined || !servers.has(server)) return null
  const reason = nonEmptyTextIn(update["description"]) ?? textsIn(update["content"])
  return { _tag: "McpFailed", turn, server, message: reason === "" ? title : `${quoted ? `${title}. ` : ""}${reason}` }
}

const textsIn = (content: unknown): string =>
  listIn(content)
    .flatMap((part) => nonEmptyTextIn(at(objectIn(part), "content", "text")) ?? [])
    .join("\n")
