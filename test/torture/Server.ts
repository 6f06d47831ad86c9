/** The real server in a process of its own, which is killed and started again on the same data dir. */
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { main } from "../builtProgram.ts"

const agent = join(import.meta.dirname, "agent.mjs")
const startWithinMillis = 120_000

export interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
}

export interface StartOptions {
  /** What the program is run by, such as `strace …`; nothing: Node itself. */
  readonly by?: ReadonlyArray<string>
  /** A module that Node loads before the program. */
  readonly preload?: string
  readonly env?: Readonly<Record<string, string>>
  /** It is not asked whether it is ready: its data dir is another's, and has no token of an app that it knows. */
  readonly isListening?: boolean
}

/** One that is a node among several, or is not the program that is published. */
export interface ServerOptions {
  readonly program?: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Where its agents note their prompts; its own file where none is given. */
  readonly prompts?: string
  /** Those of an app and of the operator; in its data dir where none are given. */
  readonly tokens?: { readonly app: () => string; readonly admin: string }
}

export class Server {
  readonly directory: string
  readonly run: string
  readonly prompts: string
  starts = 0
  /** What it logged of faults of its own. */
  readonly faults: Array<string> = []
  #isFault = false
  readonly #maxProcesses: number
  readonly #options: ServerOptions
  #child: ChildProcess | null = null
  #url = ""
  #token = ""
  readonly #log: Array<string> = []

  constructor(directory: string, run: string, maxProcesses = 6, options: ServerOptions = {}) {
    this.#maxProcesses = maxProcesses
    this.#options = options
    this.directory = directory
    this.run = run
    this.prompts = options.prompts ?? join(directory, "prompts.log")
    if (options.prompts === undefined) writeFileSync(this.prompts, "")
    const agentWith = (more: Readonly<Record<string, string>>) => ({
      protocol: "acp",
      command: [process.execPath, agent],
      env: { TORTURE_RUN: run, TORTURE_PROMPTS: this.prompts, ...more }
    })
    const agents = {
      tortured: agentWith({}),
      slow: agentWith({ TORTURE_START: "8000" }),
      stubborn: agentWith({ TORTURE_STUBBORN: "1" })
    }
    const config = { defaultAgent: "tortured", agents }
    writeFileSync(join(directory, "troupe.config.json"), JSON.stringify(config))
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }
  /** Empty until it listens. */
  get url(): string {
    return this.#url
  }
  /** The last lines that it logged. */
  get log(): string {
    return this.#log.slice(-200).join("")
  }

  /** `false`: it was killed before it was ready. */
  async start({ by = [], env = {}, isListening = false, preload }: StartOptions = {}): Promise<boolean> {
    this.starts++
    this.#url = ""
    // A port of its own each time: another program of the machine may take one that is free for a moment.
    const [program = process.execPath, ...args] = [
      ...by,
      process.execPath,
      ...(preload === undefined ? [] : ["--import", preload]),
      this.#options.program ?? main,
      "serve",
      "--port",
      "0",
      ...(this.#options.args ?? [])
    ]
    const child = spawn(program, args, {
      cwd: this.directory,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: this.directory,
        TROUPE_MAX_PROCESSES: String(this.#maxProcesses),
        TROUPE_POOL_WAIT: "5 minutes",
        TROUPE_LOG_FORMAT: "pretty",
        ...this.#options.env,
        ...env
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#child = child
    this.#log.length = 0
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log.push(text)
        // Its cause may come with the next piece.
        if (this.#isFault) this.faults.push(`${this.faults.pop()} ${text.slice(0, 1_000)}`)
        this.#isFault = text.includes("died; resuming it from the ledger")
        if (this.#isFault) this.faults.push(text.slice(0, 1_000))
        if (this.#url === "" && this.#child === child) this.#url = /listens on (http:\/\/\S+)/.exec(this.log)?.[1] ?? ""
        if (this.#log.length > 1_000) this.#log.splice(0, 500)
      })
    }
    const until = Date.now() + startWithinMillis
    while (!(isListening ? this.#url !== "" : await this.#isReady())) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${this.log}`)
      if (child.signalCode !== null) return false
      if (Date.now() > until) throw new Error(`the server is not ready: ${this.log}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return true
  }

  async #isReady(): Promise<boolean> {
    const tokenFile = join(this.directory, ".troupe", "app-token")
    const { tokens } = this.#options
    if (this.#url === "" || (tokens === undefined && !existsSync(tokenFile))) return false
    if (tokens === undefined) this.#token = readFileSync(tokenFile, "utf8").trim()
    try {
      return (await fetch(`${this.#url}/readyz`, { signal: AbortSignal.timeout(5_000) })).ok
    } catch {
      return false
    }
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The exit code; `null`: a signal ended it, or it runs. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Kills it together with its warden, as a crash of the machine does: its agents are found by its next start alone. */
  killWithWarden(): void {
    this.signal("SIGSTOP")
    const { stdout } = spawnSync("ps", ["-o", "pid=,args=", "--ppid", String(this.pid)], { encoding: "utf8" })
    const warden = /^ *(\d+) .*warden\/main\.js$/m.exec(stdout)?.[1]
    if (warden !== undefined) process.kill(Number(warden), "SIGKILL")
    this.signal("SIGKILL")
  }

  /** Waits until the process is gone, whoever ended it. */
  async gone(): Promise<void> {
    const child = this.#child
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, "exit")
  }

  headers(key?: string): Record<string, string> {
    const token = this.#options.tokens?.app() ?? this.#token
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
    return key === undefined ? headers : { ...headers, "idempotency-key": key }
  }

  /** `null`: there was no answer. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
    withinMillis = 120_000
  ): Promise<Answer | null> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: this.headers(key),
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(withinMillis)
      })
      return { status: response.status, json: await response.json() }
    } catch {
      return null
    }
  }

  /** `null`: there was no answer. */
  async upload(content: string): Promise<Answer | null> {
    const body = new FormData()
    body.append("file", new Blob([content]), "words.txt")
    const { authorization } = this.headers()
    try {
      const response = await fetch(`${this.#url}/files`, {
        method: "POST",
        headers: { authorization: authorization ?? "" },
        body
      })
      return { status: response.status, json: await response.json() }
    } catch {
      return null
    }
  }

  /** As the operator asks; `null`: there was no answer. */
  async asAdmin(method: string, path: string, body?: object): Promise<string | null> {
    const token =
      this.#options.tokens?.admin ?? readFileSync(join(this.directory, ".troupe", "admin-token"), "utf8").trim()
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(60_000)
      })
      return await response.text()
    } catch {
      return null
    }
  }

  metrics(): Promise<string | null> {
    return this.asAdmin("GET", "/metrics")
  }

  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<string> | null> {
    const response = await fetch(this.#url + path, { headers: this.headers(), signal })
    if (!response.ok || response.body === null) return null
    return response.body.pipeThrough(new TextDecoderStream())
  }
}
