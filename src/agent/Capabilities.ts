/** What agents can do beyond taking a prompt: what `GET /agents` says, and what requests are checked against. */
import type { McpTransport } from "../domain/McpServer.ts"

/** What an agent can do. Known for certain only after its handshake. */
export interface Capabilities {
  readonly resume: boolean
  readonly steer: boolean
  readonly compact: boolean
  readonly images: boolean
  /** How it can reach the MCP servers that a session brings. */
  readonly mcp: ReadonlyArray<McpTransport>
  /** Settings that a session or a turn can choose. */
  readonly model: boolean
  readonly mode: boolean
  readonly effort: boolean
  /** It holds itself to a turn's `outputSchema`. Any other agent is told it in words. */
  readonly outputSchema: boolean
  /** It asks a person for more than permissions. */
  readonly questions: boolean
  readonly fork: boolean
  /** A session can take up a conversation that the agent has from elsewhere, and the agent lists those it has. */
  readonly threads: boolean
  readonly additionalDirectories: boolean
}

/** Of an agent that can do nothing but take a prompt. */
export const noCapabilities: Capabilities = {
  resume: false,
  steer: false,
  compact: false,
  images: false,
  mcp: [],
  model: false,
  mode: false,
  effort: false,
  outputSchema: false,
  questions: false,
  fork: false,
  threads: false,
  additionalDirectories: false
}
