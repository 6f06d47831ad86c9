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
  ...(model === null ? {} : { model }),
  ...(Repository.isTrusted(cwd, trustedRoots)
    ? { settingSources: ["user", "project", "local"] }
    : { settingSources: ["user"], strictMcpConfig: true }),
  ...(permissions === "approve_all" ? {} : { settings: askingSettings })
})

/**
 * Claude writes files of its own without asking, in every mode: its memory of the project, which later sessions read, and
 * plans. With these rules it asks for each edit.
 */
const askingSettings = { autoMemoryEnabled: false, permissions: { ask: ["Edit", "Write", "NotebookEdit"] } } as const

/** Where Claude Code looks for instructions. */
const instructionFiles = ["CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"]

/** The repository's CLAUDE.md, which Claude reads only together with its settings; `null`: it reads them itself. */
export const instructions = ({ cwd }: OpenRequest, { trustedRoots }: Trust): string | null =>
  Repository.isTrusted(cwd, trustedRoots) ? null : Repository.instructionsAround(cwd, instructionFiles)
