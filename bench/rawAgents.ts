/** The reference: real agents over bare pipes, each in a process that is up and has no conversation yet. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as pause } from "node:timers/promises"
import { serveCalls } from "./worker.ts"

export type RealAgent = "codex" | "claude"

const [agentsJson = "{}"] = process.argv.slice(2)
const agents = JSON.parse(agentsJson) as Record<
  RealAgent,
  { readonly command: readonly [string, ...ReadonlyArray<string>]; readonly env: Record<string, string> }
>

/** An agent that was just started goes on working a moment behind its first answer. */
const settlesMillis = 1_000

class Peer {
  readonly #child: ChildProcess
  readonly #replies = new Map<number, (message: Message) => void>()
  #requests = 0
  onNotification: (message: Message) => void = () => {}

  constructor(agent: RealAgent) {
    const { command, env } = agents[agent]
    const [file, ...args] = command
    this.#child = spawn(file, args, { env, stdio: ["pipe", "pipe", "ignore"] })
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const message = JSON.parse(line) as Message
      if (message.method !== undefined) return this.onNotification(message)
      this.#replies.get(message.id ?? -1)?.(message)
    })
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- agents answer what they like, and a missing field is a failed run
  async request(method: string, params: object): Promise<any> {
    const id = ++this.#requests
    const reply = new Promise<Message>((resolve) => this.#replies.set(id, resolve))
    this.#child.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
    const { error, result } = await reply
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
    return result
  }

  async end(): Promise<void> {
    const exited = once(this.#child, "exit")
    this.#child.kill("SIGKILL")
    await exited
  }
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly result?: unknown
  readonly error?: unknown
}

const clientInfo = { name: "bench", title: "Bench", version: "0.0.0" }

const start = async (agent: RealAgent) => {
  const peer = new Peer(agent)
  const params =
    agent === "codex"
      ? { clientInfo, capabilities: { experimentalApi: true } }
      : { protocolVersion: 1, clientInfo, clientCapabilities: {} }
  await peer.request("initialize", params)
  await pause(settlesMillis)
  return peer
}

/** What Troupe asks for, because codex works longer on some settings than on others. */
const settings = { approvalPolicy: "never", approvalsReviewer: "user", permissions: "troupe-reads" }
const threadSettings = (cwd: string) => ({
  cwd,
  ...settings,
  config: {
    web_search: "disabled",
    permissions: {
      "troupe-reads": {
        filesystem: { ":root": "read", [`${agents.codex.env["CODEX_HOME"]}/auth.json`]: "deny" }
      }
    },
    "tools.update_plan.enabled": true,
    projects: { [cwd]: { trust_level: "untrusted" } },
    "features.unbounded_connection_retries": false,
    "features.goals": false
  }
})

const codexTurn = async (peer: Peer, threadId: string) => {
  const ended = new Promise<void>((resolve) => {
    peer.onNotification = ({ method }) => void (method === "turn/completed" && resolve())
  })
  await peer.request("turn/start", { threadId, ...settings, input: [{ type: "text", text: "hello" }] })
  await ended
}

const calls = {
  /** A new conversation and its first turn. Of codex also the thread, to be resumed. */
  first: async ({ agent, cwd }: { readonly agent: RealAgent; readonly cwd: string }) => {
    const peer = await start(agent)
    const before = performance.now()
    let thread = ""
    if (agent === "codex") {
      const opened = await peer.request("thread/start", threadSettings(cwd))
      thread = opened.thread.id as string
      await codexTurn(peer, thread)
    } else {
      const { sessionId } = await peer.request("session/new", { cwd, mcpServers: [] })
      await peer.request("session/prompt", { sessionId, prompt: [{ type: "text", text: "hello" }] })
    }
    const millis = performance.now() - before
    await peer.end()
    return { millis, thread }
  },
  resume: async ({ cwd, thread }: { readonly cwd: string; readonly thread: string }) => {
    const peer = await start("codex")
    const before = performance.now()
    await peer.request("thread/resume", { threadId: thread, excludeTurns: true, ...threadSettings(cwd) })
    await codexTurn(peer, thread)
    const millis = performance.now() - before
    await peer.end()
    return { millis }
  }
} as const

export type RawAgentsCalls = typeof calls

serveCalls(calls, async () => {})
