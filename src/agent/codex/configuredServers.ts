/**
 * The MCP servers of codex's own configuration, as overrides by which each of their calls is asked for.
 *
 * Without them codex runs a tool unasked whose server calls it read-only, or that the configuration approves, under every
 * word (0.171). A call that may not be asked for is refused.
 */
import { objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { PermissionPolicy } from "../../domain/Permissions.ts"

/** A part of a dotted key of `config`. Codex takes no other name of a server. */
const isKey = (name: string) => /^[A-Za-z0-9_-]+$/.test(name)

/** The servers of the configuration by name, each with the names of its tools that have settings. */
export type ConfiguredServers = ReadonlyMap<string, ReadonlyArray<string>>

/** Of `config` of the reply to `config/read`. */
export const serversIn = (config: JsonObject): ConfiguredServers =>
  new Map(
    Object.entries(objectIn(config["mcp_servers"])).map(([name, server]) => [
      name,
      Object.keys(objectIn(objectIn(server)["tools"]))
    ])
  )

/** Under `approve_all` the configuration counts as it is. */
export const overrides = (word: PermissionPolicy, servers: ConfiguredServers): JsonObject =>
  word === "approve_all"
    ? {}
    : Object.fromEntries(
        [...servers]
          .filter(([name]) => isKey(name))
          .flatMap(([name, tools]) => [
            [`mcp_servers.${name}.default_tools_approval_mode`, "prompt"],
            ...tools.filter(isKey).map((tool) => [`mcp_servers.${name}.tools.${tool}.approval_mode`, "prompt"])
          ])
      )
