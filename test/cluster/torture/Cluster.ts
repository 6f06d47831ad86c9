/** Nodes on one PostgreSQL, each behind proxies of its own, and the one door by which apps come to any of them. */
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { PostgresProgram } from "../../ledger/postgres/PostgresProgram.ts"
import type { Dice } from "../../simulation/random.ts"
import { main } from "../../builtProgram.ts"
import type { AdminDoor } from "./habits.ts"
import { rowsOf } from "./sql.ts"
import { TorturedNode } from "./TorturedNode.ts"
import type { NodesShare } from "./TorturedNode.ts"
import * as Witness from "./witness.ts"

export interface ClusterOptions {
  readonly directory: string
  readonly run: string
  readonly maxProcesses: number
  readonly leaseMillis: number
  /** The file of the program; absent: the one that is published. */
  readonly program?: string
}

/** An app asks again after so long: the same key is the same turn. */
const answerWithinMillis = 20_000

export class Cluster {
  readonly postgres: PostgresProgram
  readonly nodes: Array<TorturedNode> = []
  readonly door: AdminDoor
  /** By session, the node that leads its app's request on. */
  readonly asked = new Map<string, TorturedNode>()
  readonly leaseMillis: number
  readonly run: string
  readonly #share: NodesShare
  readonly #dice: Dice

  private constructor(postgres: PostgresProgram, share: NodesShare, dice: Dice) {
    this.postgres = postgres
    this.#share = share
    this.#dice = dice
    this.leaseMillis = share.leaseMillis
    this.run = share.run
    this.door = this.#makeDoor()
  }

  /** The first node has made the schema, and the database is watched, when it is there. */
  static async open(options: ClusterOptions, names: ReadonlyArray<string>, dice: Dice): Promise<Cluster> {
    const postgres = await PostgresProgram.open({ TORTURE_RUN: options.run })
    if (postgres === null) throw new Error("no PostgreSQL can be had here")
    const app = { token: "" }
    const share: NodesShare = {
      ...options,
      program: options.program ?? main,
      databaseUrl: postgres.url,
      tokens: { app: () => app.token, admin: `admin-${randomBytes(16).toString("hex")}` },
      secret: `cluster-${randomBytes(24).toString("hex")}`,
      prompts: `${options.directory}/prompts.log`
    }
    const cluster = new Cluster(postgres, share, dice)
    const [first = "first", ...others] = names
    app.token = await cluster.#begin(first)
    await Promise.all(others.map((name) => cluster.join(name)))
    return cluster
  }

  /** The token of the app that all of the run's apps are. */
  async #begin(first: string): Promise<string> {
    const { server } = await this.join(first)
    const made = await server.asAdmin("POST", "/admin/apps", { name: "tortured" })
    const { token } = JSON.parse(made ?? "{}") as { readonly token?: string }
    if (token === undefined) throw new Error(`no app: ${made}`)
    await Witness.install(this.postgres.url)
    // It was there before the witness.
    await rowsOf(this.postgres.url, `INSERT INTO witness.tokens SELECT token, '${first}.1' FROM nodes`)
    return token
  }

  /** A node of this name joins, or one that was there comes back. */
  async join(name: string): Promise<TorturedNode> {
    let node = this.nodes.find((one) => one.name === name)
    if (node === undefined) {
      node = await TorturedNode.make(name, this.#share)
      this.nodes.push(node)
    }
    node.isWanted = true
    await node.up()
    return node
  }

  get up(): ReadonlyArray<TorturedNode> {
    return this.nodes.filter(({ isUp }) => isUp)
  }

  /** The node that owns a session, where it is up. */
  async ownerOf(session: string): Promise<TorturedNode | undefined> {
    const [row] = await rowsOf(
      this.postgres.url,
      `SELECT nodes.name FROM sessions JOIN nodes ON nodes.token = sessions.owner WHERE sessions.id = '${session}'`
    )
    return this.up.find(({ name }) => name === row?.["name"])
  }

  #makeDoor(): AdminDoor {
    const any = async () => {
      while (this.up.length === 0) await pause(100)
      return this.#dice.pick(this.up)
    }
    return {
      directory: this.#share.directory,
      call: async (method, path, body, key) => {
        const node = await any()
        const session = /^\/sessions\/([^/]+)\/turn$/.exec(path)?.[1]
        if (session !== undefined) this.asked.set(session, node)
        const answer = await node.server.call(method, path, body, key, answerWithinMillis)
        if (session !== undefined && this.asked.get(session) === node) this.asked.delete(session)
        return answer
      },
      // Half of the readers come and go, each time at any node; the others stay where they are.
      stream: async (path, signal) => {
        const stays = this.#dice.chance(0.5) ? 300_000 : this.#dice.between(3_000, 15_000)
        return (await any()).server.stream(path, AbortSignal.any([signal, AbortSignal.timeout(stays)]))
      },
      taker: (prompt) => {
        const takers = `${this.#share.prompts}.takers`
        const line = existsSync(takers)
          ? readFileSync(takers, "utf8")
              .split("\n")
              .find((line) => line.endsWith(` ${prompt}`))
          : undefined
        return line === undefined ? null : Number.parseInt(line, 10)
      },
      asAdmin: async (method, path) => (await any()).server.asAdmin(method, path)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()))
    await this.postgres.close()
  }
}
