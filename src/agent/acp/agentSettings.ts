/**
 * How the ACP agents that Troupe knows are configured so that a session's permissions hold, and where they can't be held.
 *
 * Seen on codex-acp 2.6: it has codex trust the session's directory, whatever its own settings say (`projects`, not
 * `CODEX_CONFIG`), so a repository's `.codex` decides: its MCP servers run, and its rules let commands leave the sandbox.
 */
import { join } from "node:path"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import type { DriverConfig } from "../Agent.ts"
import * as Repository from "../repository.ts"
import type { KnownAgent } from "./knownAgents.ts"
import type { AcpSpec } from "./spec.ts"

type Environment = Readonly<Record<string, string>>

/**
 * Variables that an agent is started with. `agent`: `null` for one that is not known before it says its name, which gets
 * all of them, since no other program reads them.
 */
export const environment = (agent: KnownAgent | null, _permissions: PermissionPolicy): Environment =>
  // In its own first mode codex-acp would have codex write down, for ever, that the directory is trusted.
  agent === "codex" || agent === null ? { INITIAL_AGENT_MODE: "read-only" } : {}

export interface Where {
  readonly cwd: string
  /** By what the agent is configured (`askingPolicyOf`). */
  readonly permissions: PermissionPolicy
}

/** Why the permissions can't be kept, and what to use instead; `null`: they can. */
export const permissionsProblem = (
  agent: KnownAgent | null,
  { env, name }: DriverConfig,
  { trustedRoots }: AcpSpec,
  { cwd, permissions }: Where
): string | null => {
  if (permissions === "approve_all" || Repository.isTrusted(cwd, trustedRoots)) return null
  return agent === "codex" ? codexProblem(name, env, cwd, permissions) : null
}

/** Of codex-acp, also behind acpx. */
export const codexProblem = (
  name: string,
  env: Environment,
  cwd: string,
  permissions: PermissionPolicy
): string | null => {
  const home = env["HOME"]
  const own = [env["CODEX_HOME"], home === undefined ? undefined : join(home, ".codex")]
  const settings = Repository.settingsAround(cwd, [".codex"], own)
  return settings === null
    ? null
    : `Permissions ${JSON.stringify(permissions)} can't be kept by ${name} here: ${settings} would decide what runs, because codex-acp has codex trust every directory. Use the agent "codex" (protocol "codex-app-server"), "approve_all", or name the directory in agents.${name}.trustedRoots.`
}
