/** How the adapters of Claude Code and codex introduce themselves: for scripted processes that act as one of them. */
import type { Script } from "./acp.script.ts"

export const modes = (...ids: ReadonlyArray<string>) => ({
  modes: { availableModes: ids.map((id) => ({ id, name: id })) }
})

export const opens = (offer: object) => ({
  "session/new": [{ result: { sessionId: "thread-1", ...offer } }],
  "session/resume": [{ result: offer }]
})

export const claude: Script = {
  initialize: {
    agentInfo: { name: "@agentclientprotocol/claude-agent-acp", title: "Claude Agent", version: "0.101.0" },
    agentCapabilities: { _meta: { claudeCode: {} }, sessionCapabilities: { resume: {}, systemPrompt: {} } }
  },
  replies: opens(modes("default", "acceptEdits", "plan", "auto", "bypassPermissions"))
}
export const codexAcp: Script = {
  initialize: {
    agentInfo: { name: "@agentclientprotocol/codex-acp", title: "Codex", version: "2.6.0" },
    agentCapabilities: { sessionCapabilities: { resume: {}, systemPrompt: {} } }
  },
  replies: opens(modes("agent", "read-only", "workspace-write", "agent-full-access"))
}
