/** Nodes for tests: the real program with `serve --cluster`, each in a directory of its own, on one database. */
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { makeWorkspace } from "../cli/program.ts"
import { freePort } from "../freePort.ts"
import { rowsOf } from "./torture/sql.ts"
import { emptySchema } from "../ledger/postgres/schemas.ts"
import type { Ended, Running, Workspace } from "../cli/program.ts"

export interface ClusterNode {
  readonly name: string
  readonly url: string
  /** Of the app `default`. */
  readonly token: string
  readonly program: Running
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
  readonly call: (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>
  /** The `id:` of each event of the session that is read here, from the first on. */
  readonly read: (session: string) => Reader
}

export interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

export interface Reader {
  readonly ids: ReadonlyArray<number>
  readonly text: () => string
  readonly stop: () => Promise<void>
}

export const secret = `cluster-${randomBytes(24).toString("hex")}`
export const adminToken = `admin-${randomBytes(16).toString("hex")}`

const readerOf = (url: string, token: string, session: string): Reader => {
  const ids: Array<number> = []
  const reading = new AbortController()
  let text = ""
  const done = (async () => {
    const response = await fetch(`${url}/sessions/${session}/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: reading.signal
    })
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const seen = text.length
      text += chunk
      // A line can be cut: only whole ones behind the last whole one count.
      const from = text.lastIndexOf("\n", seen - 1) + 1
      const to = text.lastIndexOf("\n") + 1
      for (const [, id] of text.slice(from, to).matchAll(/^id: (\d+)$/gm)) ids.push(Number(id))
    }
  })().catch(() => {})
  return {
    ids,
    text: () => text,
    stop: async () => {
      reading.abort()
      await done
    }
  }
}

export class Cluster {
  readonly #database: string
  readonly #config: object
  readonly #workspaces = new Map<string, Workspace>()
  readonly #ports = new Map<string, number>()
  #token = ""

  /** `config`: the `troupe.config.json` of each node. */
  constructor(database: string, config: object = {}) {
    this.#database = database
    this.#config = config
  }

  /** Where a node works, and its agents have their home. */
  directoryOf(name: string): string {
    return this.#workspaceOf(name).cwd
  }

  #workspaceOf(name: string, program?: string): Workspace {
    const workspace = this.#workspaces.get(name) ?? makeWorkspace(program)
    this.#workspaces.set(name, workspace)
    return workspace
  }

  /** What each node is told. */
  settings(name: string): Readonly<Record<string, string>> {
    return {
      TROUPE_DATABASE_URL: this.#database,
      TROUPE_ADMIN_TOKEN: adminToken,
      TROUPE_CLUSTER_SECRET: secret,
      TROUPE_NODE: name
    }
  }

  /** `build`: another build of the program, with which a node of this name is started always. */
  async start(name: string, env: Readonly<Record<string, string>> = {}, build?: string): Promise<ClusterNode> {
    const workspace = this.#workspaceOf(name, build)
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify(this.#config))
    const port = this.#ports.get(name) ?? (await freePort())
    this.#ports.set(name, port)
    const url = `http://127.0.0.1:${port}`
    const program = workspace.start(["serve", "--cluster", "--port", String(port)], {
      TROUPE_LOG_FORMAT: "pretty",
      ...this.settings(name),
      ...env
    })
    await program.printed(/listens on http:\/\/\S+/)
    if (this.#token === "") {
      await program.printed(/listens on (http:\/\/\S+)[^]*curl/)
      this.#token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
    }
    const token = this.#token
    const call: ClusterNode["call"] = async (method, path, body, key) => {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          ...(key === undefined ? {} : { "idempotency-key": key })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      return { status: response.status, json: (await response.json()) as Record<string, unknown> }
    }
    const kill = async (signal: NodeJS.Signals) => {
      if (signal === "SIGKILL") await this.#toldWhomItAsks(name)
      const exit = once(program.child, "exit")
      program.child.kill(signal)
      await exit
    }
    return { name, url, token, program, call, kill, read: (session) => readerOf(url, token, session) }
  }

  /**
   * Waits until a node has told the database that it asks all others that are there, which takes a fifth of a lease from the start of
   * the last one. Whom a dead node does not say that it asks, that one waits much longer for it (`nodes.asks_until`).
   */
  #toldWhomItAsks(name: string): Promise<void> {
    const isThere = (node: string) => `${node}.lease_until > 0 AND ${node}.dead = 0`
    const text = `SELECT 1 FROM nodes AS asking JOIN nodes AS other ON other.token <> asking.token
      WHERE asking.name = '${name}' AND ${isThere("asking")} AND ${isThere("other")}
        AND NOT coalesce(asking.asks::jsonb ? other.token, false)`
    return until(`that ${name} asks all others`, async () => (await rowsOf(this.#database, text)).length === 0)
  }

  /** Waits until all nodes have told the database that they ask all others. */
  async knowEachOther(): Promise<void> {
    for (const name of this.#ports.keys()) await this.#toldWhomItAsks(name)
  }

  /** Runs a command of the program on the database, beside the nodes. */
  async run(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const workspace = this.#workspaces.get("") ?? makeWorkspace()
    this.#workspaces.set("", workspace)
    return workspace.run(args, { TROUPE_DATABASE_URL: this.#database, ...env })
  }

  async cleanUp(): Promise<void> {
    await Promise.all([...this.#workspaces.values()].map((workspace) => workspace.cleanUp()))
  }
}

/** A test on a database of its own, whose nodes end with it. */
export const onCluster = (test: (nodes: Cluster) => Promise<void>) =>
  Effect.acquireRelease(
    Effect.map(emptySchema, (url) => new Cluster(url)),
    (nodes) => Effect.promise(() => nodes.cleanUp())
  ).pipe(
    Effect.flatMap((nodes) => Effect.promise(() => test(nodes))),
    Effect.scoped
  )

export const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not come`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
