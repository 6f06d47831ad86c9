/**
 * Which modes of an ACP agent a session may have: those in which the agent does no more unasked than its session's
 * permissions say. A mode is the agent's own, so what it allows is known of the agents that were looked at, and of no other.
 */
import { askingPolicyOf } from "../../domain/Permissions.ts"
import type { PermissionPolicy, Permissions } from "../../domain/Permissions.ts"
import type { KnownAgent } from "./knownAgents.ts"

/**
 * Modes in which an agent asks its client, by their ids: codex-acp's are named after its sandbox (in its default, `agent`,
 * a model decides instead of a person); Claude, Gemini and others call theirs `default`. The
 * session's permissions decide who may say yes, not a mode, so that each answer is recorded. So no mode accepts edits: in
 * Claude's `acceptEdits` commands would write unasked, too.
 */
const askingModes = ["read-only", "default"]

/** Under `approve_all` codex-acp's sandbox has room for the session's directory. */
const approvingModes = ["workspace-write", "default"]

/** To other agents, such as Cursor, `ask` means that they only answer questions. */
const demoAskingModes = ["ask"]

/** The modes that keep the permissions, the first that is offered being the best. */
export const modesFor = (agent: KnownAgent | null, permissions: PermissionPolicy): ReadonlyArray<string> => {
  if (permissions === "approve_all") return approvingModes
  return agent === "demo" ? demoAskingModes : askingModes
}

/**
 * Modes that allow no more than those of `modesFor`, under every word. Claude's `auto`, `acceptEdits`, `dontAsk` and
 * `bypassPermissions` decide what a person should; so do Gemini's `autoEdit` and `yolo`, and codex-acp's `agent` and
 * `agent-full-access`. In Gemini's `plan` it writes plans unasked. What opencode's lets it do was not tried; Claude's
 * let a model decide.
 */
const harmless: Readonly<Record<KnownAgent, ReadonlyArray<string>>> = {
  claude: ["default", "plan"],
  codex: ["read-only"],
  gemini: ["default"],
  opencode: ["build"],
  demo: ["ask", "plan"]
}

/** A sentence (`AgentDriver.modeProblem`); `null`: the mode widens nothing. */
export const modeProblem = (
  agent: KnownAgent | null,
  name: string,
  mode: string,
  permissions: Permissions
): string | null => {
  const isAllApproved = askingPolicyOf(permissions) === "approve_all"
  if (agent === null) {
    if (isAllApproved) return null
    return `The mode ${JSON.stringify(mode)} of ${name} can't be chosen under these permissions: Troupe does not know whether it would widen them. Leave mode out, or use permissions "approve_all".`
  }
  const kept = [...new Set([...harmless[agent], ...(isAllApproved ? modesFor(agent, "approve_all") : [])])]
  if (kept.includes(mode)) return null
  return `The mode ${JSON.stringify(mode)} of ${name} would decide what the session's permissions decide. It can have ${kept.map((id) => JSON.stringify(id)).join(" or ")}.`
}
