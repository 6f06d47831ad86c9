/** What an ACP agent can do: what is known before its handshake, by its name, and what it announces then. */
import { noCapabilities } from "../Capabilities.ts"
import type { Capabilities } from "../Capabilities.ts"
import type { Controls } from "./Controls.ts"
import type { Announced } from "./handshake.ts"
import type { KnownAgent } from "./knownAgents.ts"

/**
 * Of an agent that nothing is known of: what it may have, so that it can be tried. It refuses what it turns out not to
 * have, by a failure of the configuration that says so. Only where nobody could notice is `false` the guess.
 */
const unknown: Capabilities = {
  ...noCapabilities,
  resume: true,
  images: true,
  mcp: ["stdio", "http", "sse"],
  model: true,
  mode: true,
  effort: true
}

/** No protocol of ACP's holds an answer to a schema. */
/** All but a schema of its own, which no ACP agent takes with a turn. */
const all: Capabilities = {
  resume: true,
  steer: true,
  compact: true,
  images: true,
  mcp: ["stdio", "http", "sse"],
  model: true,
  mode: true,
  effort: true,
  outputSchema: false,
  questions: true,
  fork: true,
  threads: true,
  additionalDirectories: true
}

/** Seen on claude-agent-acp 0.101, codex-acp 2.6, Gemini CLI 0.61 and opencode 1.18. */
const known: Readonly<Record<KnownAgent, Capabilities>> = {
  claude: all,
  codex: { ...all, mcp: ["stdio", "http"] },
  gemini: { ...unknown, effort: false },
  opencode: unknown,
  demo: { ...all, compact: false }
}

export const beforeHandshake = (agent: KnownAgent | null): Capabilities => (agent === null ? unknown : known[agent])

/** Agents that compact their context for the prompt `/compact`, and report it. */
export const compacts = (agent: KnownAgent | null): boolean => agent !== null && known[agent].compact

export const afterHandshake = (announced: Announced, controls: Controls): Capabilities => ({
  ...noCapabilities,
  resume: announced.resume || announced.load,
  steer: announced.steer,
  compact: compacts(announced.agent),
  images: announced.images,
  mcp: announced.mcp,
  // Claude takes names that are not in its list.
  model: controls.offers("model") || announced.isClaude,
  mode: controls.choices().modes.length > 0,
  effort: controls.offers("effort"),
  // No agent announces that it asks.
  questions: announced.agent !== null && known[announced.agent].questions,
  fork: announced.fork,
  threads: announced.list && (announced.resume || announced.load),
  additionalDirectories: announced.additionalDirectories,
  outputSchema: false
})
