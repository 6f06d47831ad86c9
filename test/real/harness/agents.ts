/** The real agents, and how the processes of each are recognised. */

import { isShort } from "./short.ts"

export interface RealAgent {
  readonly name: string
  /** The process that holds the conversation; of `acpx` its queue owner, a detached process. */
  readonly holder: RegExp
  /** The kernel's view of that process is also Troupe's: `process.pid` of the session. */
  readonly showsPid: boolean
}

export const codex: RealAgent = { name: "codex", holder: /codex app-server/, showsPid: true }
export const claude: RealAgent = { name: "claude", holder: /claude-agent-acp/, showsPid: true }
export const codexAcp: RealAgent = { name: "codex-acp", holder: /codex-acp/, showsPid: true }
export const claudeViaAcpx: RealAgent = { name: "acpx:claude", holder: /__queue-owner/, showsPid: false }

export const gemini: RealAgent = { name: "gemini", holder: /gemini.* --acp/, showsPid: true }
export const opencode: RealAgent = { name: "opencode", holder: /opencode.* acp/, showsPid: true }

/** Of Gemini CLI and opencode handshake, plain turns and permissions are tested. */
export const allAgents: ReadonlyArray<RealAgent> = [codex, claude, codexAcp, claudeViaAcpx]

/** Those that every test runs with. Behind acpx everything takes four times as long. */
export const agents = isShort ? allAgents.filter((agent) => agent !== claudeViaAcpx) : allAgents

/** Claude Code itself, below its adapter: in no group and under no parent that a supervisor would think of. */
export const nativeClaude = /--output-format stream-json/

/** A command that codex or Claude runs for a prompt of `RUN:./linger.sh`. */
export const lingering = /tail -f \/dev\/null/
