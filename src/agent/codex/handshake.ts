/** Prepares a started `codex app-server` for turns: starts or resumes a thread. */
import { Clock, Effect, Schedule } from "effect"
import { join } from "node:path"
import { cut } from "../../domain/cut.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject, JsonRecord } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import { codexHomeOf } from "../codexHome.ts"
import { commandRulesOf } from "../commandRules.ts"
import type { Peer } from "../JsonRpc.ts"
import type { Child } from "../Processes.ts"
import { redact } from "../redact.ts"
import * as Repository from "../repository.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import * as ManagedSettings from "./managedSettings.ts"
import type { Configuration } from "./configuration.ts"
import * as ConfiguredServers from "./configuredServers.ts"
import { mcpServersConfig } from "./mcpServers.ts"
import type { McpStartup } from "./McpStartup.ts"
import * as Overload from "./overload.ts"
import type { Patience } from "./patience.ts"
import { permissionSettings } from "./permissionSettings.ts"
import type { PermissionSettings } from "./permissionSettings.ts"
import { projectTrust } from "./projectTrust.ts"
import type { CodexSpec } from "./spec.ts"
import { heldByAnother, isUnknownThread, startFailed } from "./startFailed.ts"

export interface Ready {
  readonly thread: string
  readonly contextLost: string | null
  readonly version: string | null
  /** The line of the reply that has the thread (`wireLine`). */
  readonly wire: string
  /** The parameters of each turn that keep the session's permissions. */
  readonly turnSettings: JsonRecord
  /** The reply that has the thread. */
  readonly opened: JsonObject
  /** It begins empty: no earlier turn has chosen anything for it. */
  readonly isNew: boolean
}

export interface Starting {
  readonly peer: Peer
  readonly child: Child
  /** Its reply to `initialize`. */
  readonly initialized: unknown
  readonly request: OpenRequest
  readonly spec: CodexSpec
  /** Codex's own environment. */
  readonly env: Readonly<Record<string, string>>
  readonly mcp: McpStartup
  readonly configuration: Configuration
  readonly patience: Patience
  readonly toWireLine: (raw: string) => string
  /** What codex has said so far about settings that its requirements forbid. */
  readonly forbidden: ReadonlyArray<string>
  /** Reports a request that is made again, with codex's reason. */
  readonly retrying: (method: string, reason: string) => Effect.Effect<void>
}

export const run = Effect.fnUntraced(function* (starting: Starting) {
  const { child, configuration, env, forbidden, initialized, mcp, patience, peer } = starting
  const { request, retrying, spec, toWireLine } = starting
  let wire = ""
  const onReplyLine = (raw: string) => {
    wire = toWireLine(raw)
  }
  const ask = (method: string, params: JsonObject, timeoutMillis: number) =>
    peer.request(method, params, { timeoutMillis, onReplyLine })
  const explained = (method: string) =>
    Effect.catch((error: RpcError | RpcSilent) =>
      startFailed({ child, mcp, method, thread: request.thread, error, wire: error._tag === "RpcError" ? wire : "" })
    )

  // `troupe/0.169.0 (Debian 12.0.0; x86_64) unknown (troupe; 0.1.0)`
  const version = /^[^/]+\/(\S+)/.exec(textIn(objectIn(initialized)["userAgent"]) ?? "")?.[1] ?? null

  const codexHome = textIn(objectIn(initialized)["codexHome"]) ?? codexHomeOf(env)
  const permissions = permissionSettings(request.permissions, {
    ...spec,
    login: join(codexHome, "auth.json"),
    commandRules: commandRulesOf(codexHome) !== null,
    writableRoots: request.additionalDirectories
  })
  const { config, origins } = yield* configuration.pipe(explained("config/read"))
  const configured = ConfiguredServers.serversIn(config)
  const mcpServers = {
    ...ConfiguredServers.overrides(request.permissions, without(configured, request.mcpServers)),
    ...(yield* mcpServersConfig(request.mcpServers, configured))
  }
  const settings = settingsOf(request, spec, permissions, { ...planTool(origins), ...mcpServers })

  const deadline = (yield* Clock.currentTimeMillis) + patience.openMillis
  const open = (method: string, params: JsonObject) => {
    const asked = ask(method, params, patience.openMillis)
    return Overload.retrying(mcp.within(asked, { method, deadline, quietMillis: patience.threadMillis }), {
      baseMillis: patience.overloadedMillis,
      report: (error) => retrying(method, error.message)
    })
  }
  const ready = Effect.fnUntraced(function* (reply: unknown, isNew: boolean, contextLost: string | null = null) {
    const readyWire = wire
    const thread = yield* threadIn(reply)
    yield* ManagedSettings.check(peer, permissions.expected, reply, forbidden)
    return {
      thread,
      contextLost,
      version,
      wire: readyWire,
      turnSettings: permissions.turn,
      opened: objectIn(reply),
      isNew
    } satisfies Ready
  })
  const start = open("thread/start", settings).pipe(explained("thread/start"))

  if (request.thread === null && request.fork !== null) {
    const { agentTurnId, threadId } = request.fork
    const upTo = agentTurnId === null ? {} : { lastTurnId: agentTurnId }
    const fork = open("thread/fork", { threadId, ...upTo, excludeTurns: true, ...settings })
    return yield* ready(yield* fork.pipe(explained("thread/fork")), false)
  }
  if (request.thread === null) return yield* ready(yield* start, true)
  // Without `excludeTurns` the reply contains the whole history: 1.2 MB for 100 turns.
  const resumed = yield* open("thread/resume", {
    threadId: request.thread,
    excludeTurns: true,
    ...settings
  }).pipe(
    Effect.retry({
      while: heldByAnother,
      schedule: Schedule.max([Schedule.exponential("100 millis"), Schedule.recurs(4)])
    }),
    Effect.catchIf(isUnknownThread, (error) => Effect.succeed({ lost: cut(redact(error.message), 500) })),
    explained("thread/resume")
  )
  const lost = textIn(objectIn(resumed)["lost"])
  return lost === null ? yield* ready(resumed, false) : yield* ready(yield* start, true, lost)
})

/** Those that the session brings itself have their settings from it. */
const without = (configured: ConfiguredServers.ConfiguredServers, own: OpenRequest["mcpServers"]) =>
  new Map([...configured].filter(([name]) => own.every((server) => server.name !== name)))

export const introduction: JsonObject = {
  clientInfo: { name: "troupe", title: "Troupe", version: "0.1.0" },
  capabilities: {
    // For thread/backgroundTerminals/clean, without which an interrupt leaves commands running.
    experimentalApi: true,
    // Exact names. None of them is read here, and turn/diff repeats the whole diff after each model response.
    optOutNotificationMethods: [
      "turn/diff/updated",
      "account/rateLimits/updated",
      "thread/readState/changed",
      "thread/settings/updated",
      "remoteControl/status/changed"
    ]
  }
}

/** Where both are in a directory, codex takes the first only; here the model sees both, each with its name. */
const instructionFiles = ["AGENTS.override.md", "AGENTS.md"]

/** The settings of a thread. What the permissions do not decide is the same for every session. */
const settingsOf = (
  request: OpenRequest,
  { trustedRoots }: CodexSpec,
  permissions: PermissionSettings,
  more: JsonObject
): JsonObject => {
  const { additionalDirectories, cwd, model, questions, systemPrompt } = request
  const instructions = [
    systemPrompt,
    // Codex tells the model of directories that it may write only.
    additionalDirectories.length === 0
      ? null
      : `Beside the working directory these directories belong to your task: ${additionalDirectories.join(", ")}`,
    // Codex reads them itself in a directory that it trusts, and only there (0.166 to 0.171).
    Repository.isTrusted(cwd, trustedRoots) ? null : Repository.instructionsAround(cwd, instructionFiles)
  ].filter((text) => text !== null)
  return {
    cwd,
    ...(model === null ? {} : { model }),
    // Appended to codex's own instructions, which `baseInstructions` would replace.
    ...(instructions.length === 0 ? {} : { developerInstructions: instructions.join("\n\n") }),
    ...permissions.thread,
    config: {
      ...permissions.config,
      ...more,
      // Otherwise codex offers its model a tool for questions, and refuses each in the default mode (0.171).
      ...(questions ? askingPeople : {}),
      projects: projectTrust(cwd, trustedRoots),
      // Otherwise codex retries a refused connection for ever, whatever its retry settings.
      "features.unbounded_connection_retries": false,
      // With a goal codex begins turns by itself, which belong to no prompt.
      "features.goals": false
    }
  }
}

/** It is "under development", of which codex would warn with every thread. */
const askingPeople = { "features.default_mode_request_user_input": true, suppress_unstable_features_warning: true }

/** Codex offers its model a tool for plans only where its configuration says so (0.171). What that has on it counts. */
const planTool = (origins: JsonObject): JsonObject => (updatePlan in origins ? {} : { [updatePlan]: true })
const updatePlan = "tools.update_plan.enabled"

const threadIn = (reply: unknown): Effect.Effect<string, AgentFailed> => {
  const id = textIn(objectIn(objectIn(reply)["thread"])["id"])
  return id === null
    ? Effect.fail(new AgentFailed({ class: "protocol", message: "Codex started a thread and did not name it." }))
    : Effect.succeed(id)
}
