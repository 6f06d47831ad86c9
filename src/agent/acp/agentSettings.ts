/**
 * How the ACP agents that Troupe knows are configured so that a session's permissions hold, and where they can't be held.
 *
 * Seen on codex-acp 2.6: it has codex trust the session's directory, whatever its own settings say (`projects`, not
 * `CODEX_CONFIG`), so a repository's `.codex` decides: its MCP servers run, and its rules let commands leave the sandbox.
 */
import { join } from "node:path"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import type { DriverConfig, OpenRequest } from "../Agent.ts"
import { codexHomeOf } from "../codexHome.ts"
import { commandRulesOf } from "../commandRules.ts"
import * as Repository from "../repository.ts"
import type { KnownAgent } from "./knownAgents.ts"
import * as GeminiPolicy from "./geminiPolicy.ts"
import { codexConfig } from "./codexConfig.ts"
import type { AcpSpec } from "./spec.ts"

type Environment = Readonly<Record<string, string>>

/**
 * Variables that an agent is started with. `agent`: `null` for one that is not known before it says its name, which gets
 * all of them, since no other program reads them.
 */
export const environment = (
  agent: KnownAgent | null,
  { permissions, questions }: Pick<OpenRequest, "permissions" | "questions">,
  own: Environment,
  { isTrusted = false }: { readonly isTrusted?: boolean } = {}
): Environment => ({
  // In its own first mode codex-acp would have codex write down, for ever, that the directory is trusted.
  ...(agent === "codex" || agent === null
    ? { INITIAL_AGENT_MODE: "read-only", CODEX_CONFIG: codexConfig(questions, own["CODEX_CONFIG"]) }
    : {}),
  ...((agent === "opencode" || agent === null) && permissions !== "approve_all" ? opencodeAsks : {}),
  // Else it starts no MCP servers, and tells nobody (`openSession.ts`).
  ...((agent === "gemini" || agent === null) && isTrusted ? { GEMINI_CLI_TRUST_WORKSPACE: "true" } : {})
})

/**
 * By its own settings opencode runs commands unasked. These win over its other settings (seen on 1.18.33), and keep those
 * of a repository's `opencode.json` out.
 */
const opencodeAsks: Environment = {
  OPENCODE_DISABLE_PROJECT_CONFIG: "1",
  OPENCODE_PERMISSION: JSON.stringify({
    "*": "ask",
    ...Object.fromEntries(["read", "glob", "grep", "list", "todowrite", "todoread"].map((tool) => [tool, "allow"])),
    ...Object.fromEntries(["edit", "bash", "webfetch", "external_directory"].map((tool) => [tool, "ask"]))
  })
}

export interface Where {
  readonly cwd: string
  /** By what the agent is configured (`askingPolicyOf`). */
  readonly permissions: PermissionPolicy
}

/** Why the permissions can't be kept, and what to use instead; `null`: they can. */
export const permissionsProblem = (
  agent: KnownAgent | null,
  config: DriverConfig,
  spec: AcpSpec,
  { cwd, permissions }: Where
): string | null => {
  const { env, name } = config
  if (permissions === "approve_all") return null
  const anywhere =
    agent === "codex"
      ? rulesProblem(name, env, permissions)
      : agent === "gemini"
        ? GeminiPolicy.launchProblem(config, spec, permissions)
        : null
  if (anywhere !== null || Repository.isTrusted(cwd, spec.trustedRoots)) return anywhere
  switch (agent) {
    case "codex":
      return codexProblem(name, env, cwd, permissions)
    case "gemini":
    case "opencode": {
      const home = env["HOME"]
      const own = home === undefined ? [] : obeyed[agent].map((file) => join(home, file))
      const settings = Repository.settingsAround(cwd, obeyed[agent], own, { anywhere: true })
      return settings === null
        ? null
        : `Permissions ${JSON.stringify(permissions)} can't be kept by ${name} here: ${settings} would decide what runs. Use another agent, "approve_all", or name the directory in agents.${name}.trustedRoots.`
    }
    default:
      return null
  }
}

/**
 * What these agents obey of a directory and those above it: opencode's plugins run before anything is asked (seen on
 * 1.18.33); Gemini's settings start MCP servers, and its variables say where requests go.
 */
const obeyed = { gemini: [".gemini", ".env"], opencode: [".opencode"] } as const

/** The profile by which the driver of codex itself keeps such commands in the sandbox can't be chosen over ACP. */
const rulesProblem = (name: string, env: Environment, permissions: PermissionPolicy): string | null => {
  const rules = commandRulesOf(codexHomeOf(env))
  return rules === null
    ? null
    : `Permissions ${JSON.stringify(permissions)} can't be kept by ${name} here: commands that the rules in ${rules} allow would leave the sandbox unasked. Use the agent "codex" (protocol "codex-app-server"), "approve_all", or give agents.${name} a CODEX_HOME without rules.`
}

const codexProblem = (name: string, env: Environment, cwd: string, permissions: PermissionPolicy): string | null => {
  const home = env["HOME"]
  const own = [env["CODEX_HOME"], home === undefined ? undefined : join(home, ".codex")]
  const settings = Repository.settingsAround(cwd, [".codex"], own)
  return settings === null
    ? null
    : `Permissions ${JSON.stringify(permissions)} can't be kept by ${name} here: ${settings} would decide what runs, because codex-acp has codex trust every directory. Use the agent "codex" (protocol "codex-app-server"), "approve_all", or name the directory in agents.${name}.trustedRoots.`
}
