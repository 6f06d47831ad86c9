/** Starts a `codex app-server` and shakes hands with it: as the process of a session, or as a spare. */
import { Effect } from "effect"
import { join } from "node:path"
import type { DriverConfig, OpenRequest, SpareSpec, SpareWish } from "../Agent.ts"
import { codexHomeOf } from "../codexHome.ts"
import * as GitConfig from "../gitConfig.ts"
import { emptyDirectory, launchDirectory } from "../launchDirectory.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import * as Repository from "../repository.ts"
import * as SpareKey from "../spareKey.ts"
import * as Started from "../Started.ts"
import { wireLine } from "../wireLine.ts"
import * as Configuration from "./configuration.ts"
import { introduction } from "./handshake.ts"
import * as McpStartup from "./McpStartup.ts"
import * as Models from "./Models.ts"
import type { Patience } from "./patience.ts"
import type { CodexSpec } from "./spec.ts"
import { startFailed } from "./startFailed.ts"

interface Launch extends Pick<OpenRequest, "lease" | "spawned"> {
  readonly command: DriverConfig["command"]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
  readonly thread: string | null
}

const start = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  { command, cwd, env, lease, secrets, spawned, thread }: Launch,
  { initializeMillis: timeoutMillis }: Patience
) {
  const child = yield* processes.spawn({ lease, command, cwd, env, secrets, stdin: true, spawned })
  const { listen, peer } = yield* Started.waitingPeer(child, { versioned: false })
  let wire = ""
  const onReplyLine = (raw: string) => {
    wire = wireLine(raw, secrets)
  }
  const method = "initialize"
  const initialized = yield* peer.request(method, introduction, { timeoutMillis, onReplyLine }).pipe(
    Effect.catch((error) =>
      startFailed({
        child,
        mcp: McpStartup.make(),
        method,
        thread,
        error,
        wire: error._tag === "RpcError" ? wire : ""
      })
    )
  )
  yield* peer.notify("initialized", {})
  return { lease, child, peer, env, initialized, listen } satisfies Started.Started
})

/** The process of one session. */
export const forSession = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: CodexSpec,
  request: OpenRequest,
  secrets: ReadonlyArray<string>,
  patience: Patience
) {
  const { command } = config
  const { cwd, lease, spawned, thread } = request
  const ownEnv = { ...config.env, ...request.env }
  const env = { ...ownEnv, ...(yield* GitConfig.environment(processes, request, ownEnv, spec.trustedRoots)) }
  const directory = yield* launchDirectory(processes, command, cwd)
  return yield* start(processes, { command, cwd: directory, env, secrets, lease, spawned, thread }, patience)
})

/**
 * What codex binds at its start is its environment, with CODEX_HOME, and what it reads there. Directory, permissions,
 * sandbox, model and MCP servers come with the thread. In a directory that its operator trusts, codex takes settings from
 * it; so there it is started in it.
 */
export const spare =
  (processes: Processes["Service"], config: DriverConfig, spec: CodexSpec, patience: Patience) =>
  ({ cwd, env, permissions }: SpareWish): SpareSpec | null => {
    if (Object.keys(env).length > 0 || Repository.isTrusted(cwd, spec.trustedRoots)) return null
    const { command } = config
    const secrets = secretsIn(config)
    // Of the words only this one leaves git as it is.
    const word = permissions === "approve_all" ? permissions : "deny"
    return {
      key: SpareKey.of({ command, env: config.env, word }),
      directory: null,
      files: [...SpareKey.programsOf(command), ...settingsOf(config.env)],
      start: Effect.fnUntraced(function* ({ lease, scope, spawned }) {
        const directory = yield* emptyDirectory(processes)
        const git = yield* GitConfig.environment(
          processes,
          { cwd: directory, lease, permissions: word },
          config.env,
          []
        )
        const env = { ...config.env, ...git }
        const launch = { command, cwd: directory, env, secrets, lease, spawned, thread: null }
        const started = yield* start(processes, launch, patience)
        yield* Effect.ignore(yield* Configuration.of(started.peer))
        yield* Effect.forkScoped(Models.ask(started.peer))
        return new Started.StartedSpare(started, scope)
      }, Started.inItsScope),
      serves: SpareKey.serves(processes, config.env)
    }
  }

/** What codex reads when it starts, or with a thread: a login or a setting that is new is for a new process. */
const settingsOf = (env: DriverConfig["env"]): ReadonlyArray<string> => {
  return [codexHomeOf(env), "/etc/codex"].flatMap((directory) =>
    ["auth.json", "config.toml", "requirements.toml", "managed_config.toml", "rules"].map((name) =>
      join(directory, name)
    )
  )
}
