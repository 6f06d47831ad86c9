/**
 * The ACP agents whose settings Troupe knows, so that it can have them keep a session's permissions. Any other agent is
 * kept to them as far as it asks.
 */
import { basename } from "node:path"

export type KnownAgent = "claude" | "codex" | "gemini" | "opencode" | "demo"

const programs: ReadonlyArray<readonly [RegExp, KnownAgent]> = [
  [/^claude(-agent|-code)-acp\b/, "claude"],
  [/^codex-acp\b/, "codex"],
  [/^gemini(-cli)?\b/, "gemini"],
  [/^opencode(-ai)?\b/, "opencode"]
]

/** From what is launched, before the agent says its name. An agent in a script of another name is not known then. */
export const ofCommand = (
  command: ReadonlyArray<string>,
  { registry }: { readonly registry?: string | undefined } = {}
): KnownAgent | null => {
  if (registry === "claude" || registry === "codex" || registry === "gemini" || registry === "opencode") return registry
  for (const word of command) {
    // In the sources and beside the bundled program.
    if (/\b(agent|program)\/demo\/main\.[jt]s$/.test(word)) return "demo"
    // An adapter's package has its name in the path of its script: …/codex-acp/dist/index.js.
    const names = [basename(word), ...word.split("/")]
    const program = programs.find(([pattern]) => names.some((name) => pattern.test(name)))
    if (program !== undefined) return program[1]
  }
  return null
}

const announced: Readonly<Record<string, KnownAgent>> = {
  "@agentclientprotocol/claude-agent-acp": "claude",
  "@agentclientprotocol/codex-acp": "codex",
  "gemini-cli": "gemini",
  opencode: "opencode",
  OpenCode: "opencode",
  "troupe-demo": "demo"
}

/** From the name in its reply to `initialize`. */
export const ofInfo = (name: string | null): KnownAgent | null => (name === null ? null : (announced[name] ?? null))
