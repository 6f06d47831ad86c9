/**
 * The `initialize` request: what we announce, and what the agent announces.
 *
 * `protocolVersion` is exactly 1: any greater number makes the adapters speak the draft of version 2. Notices are requested,
 * because else warnings would be assistant text. Typed failures (`_meta.jetbrains.air`) are not: to a client that announces
 * that extension both adapters send neither the output of tools nor all of what a tool call was given.
 */
import { at, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { McpTransport } from "../../domain/McpServer.ts"
import * as Authenticate from "./authenticate.ts"
import * as KnownAgents from "./knownAgents.ts"
import type { KnownAgent } from "./knownAgents.ts"

/** `questions`: whether a person can be asked. */
export const params = (questions: boolean) => ({
  protocolVersion: 1,
  clientCapabilities: {
    // Neither adapter ever calls these. An agent that would has to use its own disk and shell.
    fs: { readTextFile: false, writeTextFile: false },
    terminal: false,
    session: { notices: {} },
    // Questions of the agent to a person. Claude has no tool for them where this is absent, and codex-acp refuses each.
    ...(questions ? { elicitation: { form: {} } } : {}),
    // Without it Claude sends the output of a command only when the command has ended.
    _meta: { terminal_output_delta: true }
  },
  clientInfo: { name: "troupe", title: "Troupe", version: "0.1.0" }
})

/** What an agent announces of itself. */
export interface Announced {
  /** The protocol version that it will speak; anything but 1 is a failure. */
  readonly protocol: unknown
  readonly name: string | null
  readonly version: string | null
  readonly resume: boolean
  readonly load: boolean
  readonly close: boolean
  readonly systemPrompt: boolean
  readonly images: boolean
  /** It takes resources in a prompt (`embeddedContext`). */
  readonly resources: boolean
  readonly mcp: ReadonlyArray<McpTransport>
  readonly additionalDirectories: boolean
  readonly fork: boolean
  /** It lists its sessions. */
  readonly list: boolean
  readonly steer: boolean
  /** How it can be logged in. */
  readonly auth: Authenticate.AuthOffer
  /** All of a turn's text comes before the reply to its prompt, as recorded of these agents. */
  readonly repliesLast: boolean
  /** `null`: none whose settings Troupe knows. */
  readonly agent: KnownAgent | null
  /** Claude Code behind claude-agent-acp: takes options of its SDK in `_meta`. */
  readonly isClaude: boolean
}

const repliesLast: ReadonlySet<KnownAgent | null> = new Set<KnownAgent>(["claude", "codex", "demo"])

export const read = (result: unknown): Announced => {
  const { agentCapabilities, agentInfo } = objectIn(result)
  const sessionCapabilities = objectIn(at(agentCapabilities, "sessionCapabilities"))
  const announces = (capability: string) =>
    typeof sessionCapabilities[capability] === "object" && sessionCapabilities[capability] !== null
  const agent = KnownAgents.ofInfo(nonEmptyTextIn(at(agentInfo, "name")))
  return {
    protocol: at(result, "protocolVersion"),
    name: nonEmptyTextIn(at(agentInfo, "title")) ?? nonEmptyTextIn(at(agentInfo, "name")),
    version: nonEmptyTextIn(at(agentInfo, "version")),
    resume: announces("resume"),
    load: at(agentCapabilities, "loadSession") === true,
    close: announces("close"),
    systemPrompt: announces("systemPrompt"),
    images: at(agentCapabilities, "promptCapabilities", "image") === true,
    resources: at(agentCapabilities, "promptCapabilities", "embeddedContext") === true,
    mcp: [
      "stdio",
      ...(["http", "sse"] as const).filter((name) => at(agentCapabilities, "mcpCapabilities", name) === true)
    ],
    additionalDirectories: announces("additionalDirectories"),
    fork: announces("fork"),
    list: announces("list"),
    steer: at(result, "_meta", "steering", "supported") === true,
    auth: Authenticate.offerIn(result),
    repliesLast: repliesLast.has(agent),
    agent,
    isClaude: at(agentCapabilities, "_meta", "claudeCode") !== undefined
  }
}
