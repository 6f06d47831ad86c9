/** A node whose connections to the database and from other nodes go through proxies, and which is started again. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Server } from "../../torture/Server.ts"
import { TcpProxy } from "../TcpProxy.ts"
import { connectionOptions } from "./witness.ts"

const shiftedClock = join(import.meta.dirname, "shiftedClock.mjs")

export interface NodesShare {
  readonly directory: string
  readonly run: string
  readonly program: string
  readonly maxProcesses: number
  readonly leaseMillis: number
  readonly databaseUrl: string
  readonly tokens: { readonly app: () => string; readonly admin: string }
  readonly secret: string
  readonly prompts: string
}

export class TorturedNode {
  readonly name: string
  readonly server: Server
  readonly toDatabase: TcpProxy
  readonly toNode: TcpProxy
  readonly #share: NodesShare
  readonly #clock: string
  /** It is to be up: whoever ends it has it start again. */
  isWanted = true

  private constructor(name: string, share: NodesShare, toDatabase: TcpProxy, toNode: TcpProxy) {
    this.name = name
    this.#share = share
    this.toDatabase = toDatabase
    this.toNode = toNode
    const directory = join(share.directory, name)
    mkdirSync(directory)
    this.#clock = join(directory, "clock")
    this.clockIsOff(0)
    this.server = new Server(directory, share.run, share.maxProcesses, {
      program: share.program,
      args: ["--cluster"],
      prompts: share.prompts,
      tokens: share.tokens,
      env: {
        TORTURE_RUN: share.run,
        TORTURE_CLOCK: this.#clock,
        TROUPE_ADMIN_TOKEN: share.tokens.admin,
        TROUPE_CLUSTER_SECRET: share.secret,
        TROUPE_NODE: name,
        TROUPE_NODE_URL: `http://127.0.0.1:${toNode.port}`,
        TROUPE_NODE_LEASE: `${share.leaseMillis} millis`,
        TROUPE_HIBERNATE_AFTER: "3 seconds",
        TROUPE_SWEEP_INTERVAL: "2 seconds"
      }
    })
  }

  static async make(name: string, share: NodesShare): Promise<TorturedNode> {
    const toDatabase = await TcpProxy.open()
    toDatabase.target = Number(new URL(share.databaseUrl).port)
    return new TorturedNode(name, share, toDatabase, await TcpProxy.open())
  }

  /** What this start of it writes is noted under this name. */
  get writer(): string {
    return `${this.name}.${this.server.starts}`
  }

  get isUp(): boolean {
    return this.server.isRunning && this.server.url !== ""
  }

  /** Until it is ready. A start that finds no database ends; another one follows, as under a service manager. */
  async up(): Promise<void> {
    const url = new URL(this.#share.databaseUrl)
    url.port = String(this.toDatabase.port)
    while (this.isWanted) {
      try {
        const env = {
          TROUPE_DATABASE_URL: `${String(url)}?${connectionOptions(`${this.name}.${this.server.starts + 1}`)}`
        }
        const starting = this.server.start({ env, preload: shiftedClock })
        const leading = setInterval(() => {
          if (this.server.url !== "") this.toNode.target = Number(new URL(this.server.url).port)
        }, 20)
        const isUp = await starting.finally(() => clearInterval(leading))
        if (isUp) {
          this.toNode.target = Number(new URL(this.server.url).port)
          return
        }
      } catch (error) {
        if (!/ended with/.test(String(error))) throw error
      }
      await pause(500)
    }
  }

  /** Of it and its warden, from now on. */
  clockIsOff(millis: number): void {
    writeFileSync(`${this.#clock}.new`, String(millis))
    renameSync(`${this.#clock}.new`, this.#clock)
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.toNode.target = 0
    this.server.signal(signal)
    await this.server.gone()
  }

  async close(): Promise<void> {
    this.isWanted = false
    this.server.signal("SIGCONT")
    this.server.signal("SIGKILL")
    await this.server.gone()
    await Promise.all([this.toDatabase.close(), this.toNode.close()])
  }
}
