/** Starts an ACP agent and shakes hands with it: as the process of a session, or as a spare. */
import { Clock, Effect } from "effect"
import { join } from "node:path"
import { startMillisOf } from "../../domain/Settings.ts"
import type { DriverConfig, OpenRequest, SpareSpec, SpareWish } from "../Agent.ts"
import { AgentFailed } from "../Agent.ts"
import { codexHomeOf } from "../codexHome.ts"
import * as GitConfig from "../gitConfig.ts"
import { emptyDirectory, launchDirectory, startsFromItsDirectory } from "../launchDirectory.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import * as Repository from "../repository.ts"
import * as SpareKey from "../spareKey.ts"
import * as Started from "../Started.ts"
import { wireLine } from "../wireLine.ts"
import * as AgentSettings from "./agentSettings.ts"
import * as Failures from "./failures.ts"
import * as GeminiPolicy from "./geminiPolicy.ts"
import * as Handshake from "./handshake.ts"
import * as KnownAgents from "./knownAgents.ts"
import type { KnownAgent } from "./knownAgents.ts"
import * as RefusedStart from "./refusedStart.ts"
import * as Request from "./request.ts"
import type { AcpSpec } from "./spec.ts"

interface Launch extends Pick<OpenRequest, "lease" | "permissions" | "questions" | "spawned" | "thread"> {
  readonly config: DriverConfig
  readonly spec: AcpSpec
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

const start = Effect.fnUntraced(function* (processes: Processes["Service"], launch: Launch) {
  const { config, cwd, env, lease, permissions, questions, secrets, spawned, spec, thread } = launch
  const command = yield* GeminiPolicy.launched(
    processes,
    KnownAgents.ofCommand(config.command, spec),
    config.command,
    permissions
  )
  const child = yield* processes.spawn({ lease, command, cwd, env, secrets, stdin: true, spawned })
  const { listen, peer } = yield* Started.waitingPeer(child, { versioned: true })
  let wire = ""
  const send = Request.make(peer, (line) => {
    wire = wireLine(line, secrets)
  })
  const identity = Failures.identify(config.name)
  const startedAt = yield* Clock.currentTimeMillis
  const initialized = yield* send("initialize", Handshake.params(questions), startMillisOf(spec) ?? 0).pipe(
    Effect.catchTags({
      RpcError: (error) => new AgentFailed({ ...RefusedStart.ofStart(identity, error, thread), wire }),
      RpcSilent: (silent) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Request.failSilent(child, identity, silent, now - startedAt))
    })
  )
  return { lease, child, peer, env, initialized, listen } satisfies Started.Started
})

/** The process of one session. What keeps the permissions is set last. */
export const forSession = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: AcpSpec,
  request: OpenRequest,
  secrets: ReadonlyArray<string>
) {
  const { cwd, lease, permissions, questions, spawned, thread } = request
  const ownEnv = { ...config.env, ...request.env }
  const isTrusted = Repository.isTrusted(cwd, spec.trustedRoots)
  const env = {
    ...ownEnv,
    ...AgentSettings.environment(KnownAgents.ofCommand(config.command, spec), request, ownEnv, { isTrusted }),
    ...(yield* GitConfig.environment(processes, request, ownEnv, spec.trustedRoots))
  }
  const directory = yield* launchDirectory(processes, config.command, cwd)
  const launch = { config, spec, cwd: directory, env, secrets, lease, permissions, questions, spawned, thread }
  return yield* start(processes, launch)
})

/**
 * Agents that are known to work in the directory of a session wherever they were started. The others may look at theirs,
 * or run tools in it; so their spares serve the sessions of one directory.
 */
const worksAnywhere: ReadonlySet<KnownAgent | null> = new Set<KnownAgent>(["claude", "demo"])

/** A session's directory, mode, model and MCP servers come with `session/new`; whether there is anybody to ask does not. */
export const spare =
  (processes: Processes["Service"], config: DriverConfig, spec: AcpSpec) =>
  ({ cwd, env: sessionEnv, permissions, questions }: SpareWish): SpareSpec | null => {
    const { command, env } = config
    if (Object.keys(sessionEnv).length > 0 || Repository.isTrusted(cwd, spec.trustedRoots)) return null
    const agent = KnownAgents.ofCommand(command, spec)
    const own = { ...env, ...AgentSettings.environment(agent, { permissions, questions }, env) }
    const word = permissions === "approve_all" ? permissions : "deny"
    const directory = worksAnywhere.has(agent) || startsFromItsDirectory(command) ? null : cwd
    const policy = agent === "gemini" ? GeminiPolicy.policy(permissions) : null
    return {
      key: SpareKey.of({ command, env: own, word, questions, directory, policy }),
      directory,
      files: [...SpareKey.programsOf(command), ...settingsOf(agent, env), ...(directory === null ? [] : [directory])],
      start: Effect.fnUntraced(function* ({ lease, scope, spawned }) {
        const at = directory ?? (yield* emptyDirectory(processes))
        const git = yield* GitConfig.environment(processes, { cwd: at, lease, permissions: word }, env, [])
        const secrets = secretsIn(config)
        const launch = {
          config,
          spec,
          cwd: at,
          env: { ...own, ...git },
          secrets,
          lease,
          permissions,
          questions,
          spawned
        }
        return new Started.StartedSpare(yield* start(processes, { ...launch, thread: null }), scope)
      }, Started.inItsScope),
      serves: SpareKey.serves(processes, env)
    }
  }

/** What is read at the start, as far as it is known. Claude reads its settings and its login with each session. */
const settingsOf = (agent: KnownAgent | null, env: DriverConfig["env"]): ReadonlyArray<string> => {
  const home = env["HOME"] ?? "/"
  switch (agent) {
    case "codex":
      return ["auth.json", "config.toml"].map((name) => join(codexHomeOf(env), name))
    case "gemini":
      return ["settings.json", "oauth_creds.json"].map((name) => join(home, ".gemini", name))
    case "opencode":
      return [join(home, ".config/opencode/opencode.json"), join(home, ".local/share/opencode/auth.json")]
    default:
      return []
  }
}
