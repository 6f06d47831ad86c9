/**
 * The permissions of a one-shot run, as arguments of `claude -p`. Nobody can be asked while it runs, so what would be asked
 * is refused (seen on Claude Code 2.1.328; `test/real/run.test.ts` checks it by what happens on the disk and the network).
 */
import type { PermissionPolicy } from "../domain/Permissions.ts"
import { askingSettings, askingTools } from "./acp/claudeOptions.ts"

/** Why a run can't have this word; `null`: it can. */
export const runPermissionsProblem = (word: PermissionPolicy): string | null =>
  word === "ask" || word === "approve_edits"
    ? `Permissions ${JSON.stringify(word)} can't be kept by a run, where nobody can be asked. Use "deny", "approve_reads" or "approve_all", or a session.`
    : null

/** Tools by which Claude asks a person. */
const interactiveTools = new Set(["AskUserQuestion", "ExitPlanMode"])

/**
 * `readable`: directories that it reads under every word. `null`: no word, so that the operator's own settings decide; what the
 * app attached it reads all the same.
 */
export const runArguments = (word: PermissionPolicy | null, readable: ReadonlyArray<string>): ReadonlyArray<string> => {
  const allow = readable.map((directory) => `Read(/${directory}/**)`)
  if (word === null) return allow.length === 0 ? [] : ["--settings", JSON.stringify({ permissions: { allow } })]
  // Without it Claude starts in the mode of the operator's own settings, which may be one that asks nothing.
  const asking = ["--permission-mode", "manual", "--permission-prompts", "none"]
  if (word === "approve_all") return [...asking, "--allowedTools", allTools.join(",")]
  const permissions = { ...askingSettings.permissions, allow }
  return [
    ...asking,
    "--setting-sources",
    "user",
    "--strict-mcp-config",
    "--tools",
    askingTools.filter((tool) => !interactiveTools.has(tool)).join(","),
    "--settings",
    JSON.stringify({ ...askingSettings, permissions })
  ]
}

/** Those that Claude asks for. What the operator's own settings deny stays denied. */
const allTools = "Agent Bash Edit Write NotebookEdit Read Glob Grep WebFetch WebSearch Skill Monitor".split(" ")
