/** What a session asks for beyond its first needs, checked against the agent and the operator's configuration. */
import { Effect, FileSystem, Path, Schema } from "effect"
import type { AgentDriver } from "../agent/Agent.ts"
import { maxMcpServers, McpServerOrName, transportOf } from "../domain/McpServer.ts"
import type { McpServerSpec } from "../domain/McpServer.ts"
import { nearestName } from "../domain/nearestName.ts"
import type { Permissions } from "../domain/Permissions.ts"
import { InvalidRequest, NotSupported } from "../domain/Refusal.ts"
import type { CreateSession, SessionSetup } from "../domain/Session.ts"
import type { AppName } from "../domain/Ids.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** For callers of the library without types. */
const isServer = Schema.is(McpServerOrName)
const takesServer =
  'must be the name of one of the operator\'s servers, {name, command, args?, env?}, or {name, type: "http" or "sse", url, headers?}.'

const maxDirectories = 32
const maxVariables = 64

export const make = Effect.gen(function* () {
  const checkAppBounds = yield* CheckAppBounds.make
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { mcpServers: configured = {} } = yield* RuntimeSettings

  const checkDirectories = Effect.fnUntraced(function* (
    app: AppName,
    { capabilities, name }: AgentDriver,
    directories: ReadonlyArray<string>
  ) {
    if (directories.length > maxDirectories) {
      return yield* invalid("additional_directories", `may have at most ${maxDirectories} entries.`)
    }
    if (directories.length > 0 && !capabilities.additionalDirectories) {
      return yield* unsupported(`${name} takes no additional directories (capabilities.additional_directories).`)
    }
    return yield* Effect.forEach(directories, (directory, index) =>
      Effect.gen(function* () {
        const field = `additional_directories[${index}]`
        if (!path.isAbsolute(directory)) return yield* invalid(field, "must be an absolute path.")
        const allowed = (yield* checkAppBounds(app, { cwd: directory })) ?? directory
        const isDirectory = yield* fs.stat(allowed).pipe(
          Effect.map(({ type }) => type === "Directory"),
          Effect.orElseSucceed(() => false)
        )
        return isDirectory ? allowed : yield* invalid(field, "must be a directory that exists and can be read.")
      })
    )
  })

  const checkServers = Effect.fnUntraced(function* (
    app: AppName,
    { capabilities, name: agent }: AgentDriver,
    servers: ReadonlyArray<McpServerOrName>
  ) {
    if (servers.length > maxMcpServers) {
      return yield* invalid("mcp_servers", `may have at most ${maxMcpServers} entries.`)
    }
    const seen = new Set<string>()
    for (const [index, server] of servers.entries()) {
      const field = `mcp_servers[${index}]`
      if (!isServer(server)) return yield* invalid(field, takesServer)
      const isNamed = typeof server === "string"
      const name = isNamed ? server : server.name
      const spec = isNamed ? namedServer(configured, server) : server
      if (spec === undefined) {
        const near = nearestName(name, Object.keys(configured))
        const hint = near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`
        const problem = `is ${JSON.stringify(name)}, which the operator's configuration (mcpServers) does not have.${hint}`
        return yield* invalid(field, problem)
      }
      if (seen.has(name)) return yield* invalid(field, `has the name ${JSON.stringify(name)} of one before it.`)
      seen.add(name)
      const transport = transportOf(spec)
      if (!capabilities.mcp.includes(transport)) {
        const can = capabilities.mcp.length === 0 ? "none" : capabilities.mcp.join(", ")
        return yield* unsupported(`${agent} reaches no MCP server by ${transport} (capabilities.mcp: ${can}).`)
      }
      if ("url" in spec && !/^https?:\/\//.test(spec.url)) {
        return yield* invalid(`${field}.url`, "must be an http or https address.")
      }
      if (!isNamed) yield* checkAppBounds(app, { mcpServer: field })
    }
  })

  return Effect.fnUntraced(function* (
    app: AppName,
    driver: AgentDriver,
    permissions: Permissions,
    request: Pick<CreateSession, "additionalDirectories" | "effort" | "env" | "mcpServers" | "mode" | "questions">
  ) {
    const { additionalDirectories = [], effort, env = {}, mcpServers = [], mode, questions } = request
    yield* checkChoices(driver, permissions, { mode, effort })
    yield* checkServers(app, driver, mcpServers)
    yield* checkVariables(driver, env)
    const directories = yield* checkDirectories(app, driver, additionalDirectories)
    if (questions === "ask" && !driver.capabilities.questions) {
      return yield* unsupported(`${driver.name} asks no questions (capabilities.questions). Leave questions out.`)
    }
    const setup: SessionSetup = {
      ...(mcpServers.length === 0 ? {} : { mcpServers }),
      ...(directories.length === 0 ? {} : { additionalDirectories: directories }),
      ...(Object.keys(env).length === 0 ? {} : { env }),
      ...(questions === undefined ? {} : { questions })
    }
    return setup
  })
})

/** Mode and effort, of a session or of a turn. */
export const checkChoices = Effect.fnUntraced(function* (
  { capabilities, modeProblem, name }: AgentDriver,
  permissions: Permissions,
  { effort, mode }: { readonly effort?: string | null | undefined; readonly mode?: string | null | undefined }
) {
  if (effort != null && !capabilities.effort) {
    return yield* unsupported(`${name} lets its client choose no effort (capabilities.effort). Leave effort out.`)
  }
  if (mode == null) return
  if (!capabilities.mode || modeProblem === undefined) {
    return yield* unsupported(`${name} lets its client choose no mode (capabilities.mode). Leave mode out.`)
  }
  const problem = modeProblem(mode, permissions)
  if (problem !== null) return yield* unsupported(problem)
})

const checkVariables = Effect.fnUntraced(function* (
  { name: agent, sessionEnv = [] }: AgentDriver,
  env: Readonly<Record<string, string>>
) {
  const names = Object.keys(env)
  if (names.length > maxVariables) return yield* invalid("env", `may have at most ${maxVariables} variables.`)
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return yield* invalid(`env.${name}`, "is no name of a variable.")
    if (value.includes("\0")) return yield* invalid(`env.${name}`, "may not contain the character NUL (U+0000).")
    if (!sessionEnv.some((allowed) => matches(allowed, name))) {
      const list = sessionEnv.length === 0 ? "none" : sessionEnv.join(", ")
      return yield* unsupported(
        `env.${name} is no variable that a session of ${agent} may set: agents.${agent}.sessionEnv of the configuration allows ${list}.`
      )
    }
  }
})

const matches = (allowed: string, name: string) =>
  allowed.endsWith("*") ? name.startsWith(allowed.slice(0, -1)) : name === allowed

const namedServer = (configured: Readonly<Record<string, McpServerSpec>>, name: string) =>
  Object.hasOwn(configured, name) ? configured[name] : undefined

const invalid = (field: string, problem: string) => Effect.fail(new InvalidRequest({ field, problem }))

const unsupported = (problem: string) => Effect.fail(new NotSupported({ problem }))
