/** A server of the Model Context Protocol that a session's agent may use: a program to start, or an address. */
import { Schema } from "effect"

export const McpServerName = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/)).annotate({
  description: "1 to 64 letters, digits, `_` or `-`: the agent calls the server's tools by it.",
  examples: ["tickets"]
})

const Secrets = Schema.Record(Schema.NonEmptyString, Schema.String)

const stdio = {
  type: Schema.optionalKey(Schema.Literal("stdio")),
  command: Schema.NonEmptyString.annotate({ description: "A program, absolute or on the agent's PATH." }),
  args: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(64))),
  env: Schema.optionalKey(Secrets.annotate({ description: "Stored, given to the server, and never shown again." }))
}

const remote = {
  type: Schema.Literals(["http", "sse"]),
  url: Schema.NonEmptyString,
  headers: Schema.optionalKey(Secrets.annotate({ description: "Stored, sent to the server, and never shown again." }))
}

/** As the operator configures one under its name. */
export const McpServerSpec = Schema.Union([Schema.Struct(stdio), Schema.Struct(remote)])
export type McpServerSpec = typeof McpServerSpec.Type

/** Of every kind of server, for those who look for unknown keys. */
export const mcpServerKeys = [...new Set([...Object.keys(stdio), ...Object.keys(remote)])]

export const McpServer = Schema.Union([
  Schema.Struct({ name: McpServerName, ...stdio }),
  Schema.Struct({ name: McpServerName, ...remote })
])
export type McpServer = typeof McpServer.Type

export type McpTransport = "stdio" | "http" | "sse"

export const transportOf = (server: McpServerSpec): McpTransport => server.type ?? "stdio"

/** A server of the request, or the name of one in the operator's configuration (`mcpServers`). */
export const McpServerOrName = Schema.Union([Schema.NonEmptyString, McpServer])
export type McpServerOrName = typeof McpServerOrName.Type

export const maxMcpServers = 32

/** The values that must not be shown: what is in the environment of a server and in its headers. */
export const secretsOfServer = (server: McpServer): ReadonlyArray<string> =>
  Object.values("command" in server ? (server.env ?? {}) : (server.headers ?? {}))
