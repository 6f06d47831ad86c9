/**
 * What codex is told for each permission word: when a thread starts or is resumed, and with every turn again.
 *
 * The kernel keeps the word, not the model: commands run in codex's sandbox, and what codex asks is decided by the session's
 * permissions. Seen with 0.166 and 0.171; `test/real/permissions.codex.*` checks every word by what happens on the disk
 * and the network.
 */
import type { JsonRecord } from "../../domain/json.ts"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import type { AgentSpec } from "../../domain/Settings.ts"
import type { Wish } from "./managedSettings.ts"

export interface PermissionSettings {
  /** Parameters of `thread/start` and `thread/resume`. */
  readonly thread: JsonRecord
  /** Keys of their `config`. */
  readonly config: JsonRecord
  /** Parameters of `turn/start`: what happened to the thread since does not count. */
  readonly turn: JsonRecord
  /** What codex must answer that it does. */
  readonly expected: Wish
}

export interface Surroundings extends Pick<AgentSpec, "sandbox"> {
  /** The file with codex's own account. */
  readonly login: string
  /** Codex has rules by which commands leave its sandbox unasked (`commandRulesOf`). */
  readonly commandRules?: boolean
  /** Directories beside the session's own: where commands may write there, they may here. Under every word they are read. */
  readonly writableRoots?: ReadonlyArray<string>
}

/** `sandbox`: the operator's setting for machines where no sandbox can start. */
export const permissionSettings = (
  word: PermissionPolicy,
  { commandRules = false, login, sandbox, writableRoots = [] }: Surroundings
): PermissionSettings => {
  switch (word) {
    case "deny":
    case "approve_reads":
      return confined(login, "never")
    // Troupe approves the edits of `approve_edits` itself: a sandbox in which they could happen lets commands write, too.
    case "ask":
    case "approve_edits":
      return commandRules
        ? confined(login, "on-request")
        : { ...asking("read-only", { type: "readOnly", networkAccess: false }), config: noSearch }
    case "approve_all":
      return sandbox === undefined
        ? asking("workspace-write", {
            type: "workspaceWrite",
            writableRoots,
            networkAccess: true,
            excludeTmpdirEnvVar: false,
            excludeSlashTmp: false
          })
        : asking(sandbox, { type: "dangerFullAccess" })
  }
}

/** Otherwise an operator's `approvals_reviewer = "auto_review"` has a model decide, and Troupe is not asked. */
const reviewer = { approvalsReviewer: "user" }

/** Codex searches the web without asking, where its operator lets it do so live (`web_search = "live"`). */
const noSearch = { web_search: "disabled" }

const profile = "troupe-reads"

/**
 * Commands read, whatever rules in CODEX_HOME allow them.
 *
 * A profile of its own is stricter than `sandbox: "read-only"`: rules that allow a command, such as those that a person's
 * "don't ask again" adds, have it run outside of that sandbox without a question. Where a file may not be read, codex keeps
 * such a command in the sandbox, too. The file is codex's login, which no command needs.
 *
 * With `never` codex asks nothing, and refuses what it would have to ask. With `on-request` it asks for what would leave; a
 * command that is approved then writes everywhere, and still has no network and no login (0.171). So this is for machines
 * with such rules only: without them, an approved command has the network, too.
 */
const confined = (login: string, approvalPolicy: Wish["approvalPolicy"]): PermissionSettings => {
  const settings = { approvalPolicy, ...reviewer, permissions: profile }
  return {
    thread: settings,
    config: { ...noSearch, permissions: { [profile]: { filesystem: { ":root": "read", [login]: "deny" } } } },
    turn: settings,
    expected: { approvalPolicy, sandbox: "read-only" }
  }
}

/** Codex asks for what would leave the sandbox, and for files that would change outside of what it may write. */
const asking = (sandbox: Wish["sandbox"], sandboxPolicy: JsonRecord): PermissionSettings => {
  const settings = { approvalPolicy: "on-request", ...reviewer }
  return {
    thread: { ...settings, sandbox },
    config: {},
    turn: { ...settings, sandboxPolicy },
    expected: { approvalPolicy: "on-request", sandbox }
  }
}
