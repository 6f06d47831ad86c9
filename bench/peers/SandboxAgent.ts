/**
 * sandbox-agent, a server in Rust that relays the Agent Client Protocol over HTTP and stores nothing: each server id is one
 * agent process, a POST is one request to it. https://rivet.dev/sandbox-agent/docs/api-reference/operations/post_v1_acp
 *
 * It knows its agents by name. Its `mock` is a script in its data directory, which is replaced by the agent that is measured.
 */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../../test/freePort.ts"
import { connect } from "../http.ts"
import type { Client } from "../http.ts"

const home = import.meta.dirname
const token = "a-token-for-the-benchmark"
const installWithinMillis = 120_000
const startWithinMillis = 10_000
/** Of `/proc/PID/stat`: what Linux has used since 2.6 on every platform. */
const millisPerTick = 10

/** Installed beside this file at its first use (24 MB); throws where it can't be had. */
const program = (): string => {
  const { arch, platform } = process
  const path = join(home, "node_modules/@sandbox-agent", `cli-${platform}-${arch}`, "bin/sandbox-agent")
  if (!existsSync(path)) {
    const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${home}`]
    execFileSync("npm", npm, { cwd: home, stdio: "ignore", timeout: installWithinMillis })
    execFileSync("chmod", ["+x", path])
  }
  return path
}

export class SandboxAgent {
  readonly #child: ChildProcess
  readonly #client: Client
  #requests = 0

  private constructor(child: ChildProcess, url: string, connections: number) {
    this.#child = child
    this.#client = connect(url, token, connections)
  }

  /** Throws with the reason where it can't be had or does not answer in time. */
  static async start(dir: string, sessions: number): Promise<SandboxAgent> {
    const launcher = join(dir, "sandbox-agent/bin/agent_processes/mock-acp")
    await mkdir(join(launcher, ".."), { recursive: true })
    const agent = join(home, "..", "null-agent.ts")
    await writeFile(launcher, `#!/bin/sh\nexec '${process.execPath}' '${agent}'\n`, { mode: 0o755 })
    const port = await freePort()
    const args = ["server", "--host=127.0.0.1", `--port=${port}`, `--token=${token}`, "--no-telemetry"]
    const env = { PATH: process.env["PATH"], HOME: dir, XDG_DATA_HOME: dir }
    const child = spawn(program(), args, { env, stdio: "ignore" })
    const started = new SandboxAgent(child, `http://127.0.0.1:${port}`, sessions)
    try {
      await once(child, "spawn")
      for (let session = 0; session < sessions; session++) await started.#open(session)
    } catch (error) {
      await started.end()
      throw error
    }
    return started
  }

  turn(session: number): Promise<string> {
    return this.#request(session, "session/prompt", {
      sessionId: "null",
      prompt: [{ type: "text", text: "hello" }]
    })
  }

  /** Processor time of the server so far, its agents left out. */
  cpuMillis(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8")
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number)
    return ((user ?? 0) + (system ?? 0)) * millisPerTick
  }

  async end(): Promise<void> {
    this.#client.close()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill("SIGTERM")
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), startWithinMillis)
    await once(this.#child, "exit")
    clearTimeout(deadline)
  }

  async #open(session: number): Promise<void> {
    const initialize = { protocolVersion: 1, clientCapabilities: {} }
    for (const until = Date.now() + startWithinMillis; ; await sleep(50)) {
      try {
        await this.#request(session, "initialize", initialize, "?agent=mock")
        break
      } catch (error) {
        if (Date.now() > until) throw error
      }
    }
    await this.#request(session, "session/new", { cwd: home, mcpServers: [] })
  }

  #request(session: number, method: string, params: object, query = ""): Promise<string> {
    const message = { jsonrpc: "2.0", id: this.#requests++, method, params }
    return this.#client.post(`/v1/acp/bench-${session}${query}`, message)
  }
}
