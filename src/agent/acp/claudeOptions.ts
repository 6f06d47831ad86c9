/**
 * The options of Claude Code's SDK that claude-agent-acp takes in `_meta.claudeCode.options`, by which a session's
 * repository decides nothing: not its hooks, its MCP servers (`.mcp.json`), its `apiKeyHelper`, nor its `env`, by which
 * it could have the API key sent elsewhere (`ANTHROPIC_BASE_URL`).
 *
 * Seen on claude-agent-acp 0.101. A mode can't be set here: `permissionMode` is ignored.
 */
import type { OpenRequest } from "../Agent.ts"
import * as Repository from "../repository.ts"

export interface Trust {
  readonly trustedRoots: ReadonlyArray<string> | undefined
}

export const make = ({ cwd, model, permissions }: OpenRequest, { trustedRoots }: Trust) => ({
  // Suggestions for a next prompt, which nobody reads, would cost a request with the whole context each turn.
  promptSuggestions: false,
  // No session has that mode (modes.ts), and where Troupe runs as root Claude Code would refuse to start for it.
  allowDangerouslySkipPermissions: false,
  ...(model === null ? {} : { model }),
  ...(Repository.isTrusted(cwd, trustedRoots)
    ? { settingSources: ["user", "project", "local"] }
    : { settingSources: ["user"], strictMcpConfig: true }),
  ...(permissions === "approve_all" ? {} : { settings: askingSettings, tools: askingTools })
})

/**
 * Claude writes files of its own without asking, in every mode: its memory of the project, which later sessions read, and
 * plans. With these rules it asks for each edit. It starts sub-agents unasked, too, which may be told to work in a worktree
 * that is then written into the repository; of those that are not, Troupe approves each.
 */
export const askingSettings = {
  autoMemoryEnabled: false,
  // Else a model decides on commands in plan mode, instead of Troupe (seen on 0.101).
  useAutoModeDuringPlan: false,
  permissions: { ask: ["Edit", "Write", "NotebookEdit", "Agent"] }
} as const

/**
 * The tools of Claude Code that read the session's directory, change nothing, or ask. Others do not ask, in any mode
 * (seen on 0.101): `CronCreate` has later sessions in the directory prompted with what the model writes, `EnterWorktree`
 * writes into the repository and leaves the session's directory, and in `EnterPlanMode` a model of Claude's decides on
 * commands. So what a later version adds is off, too, until it is known.
 */
export const askingTools =
  "Agent Task TaskOutput TaskStop Bash BashOutput KillShell Monitor Read NotebookRead Glob Grep Edit MultiEdit Write NotebookEdit WebFetch WebSearch Skill ToolSearch AskUserQuestion StructuredOutput TodoWrite TaskCreate TaskGet TaskList TaskUpdate ExitPlanMode".split(
    " "
  )

/** Where Claude Code looks for instructions. */
const instructionFiles = ["CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"]

/** The repository's CLAUDE.md, which Claude reads only together with its settings; `null`: it reads them itself. */
export const instructions = ({ cwd }: OpenRequest, { trustedRoots }: Trust): string | null =>
  Repository.isTrusted(cwd, trustedRoots) ? null : Repository.instructionsAround(cwd, instructionFiles)
