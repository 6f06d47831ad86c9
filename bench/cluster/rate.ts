/** Measures turns a second of one, two and three nodes on PostgreSQL against one Troupe on SQLite, in alternating rounds. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PostgresProgram } from "../../test/ledger/postgres/PostgresProgram.ts"
import { rowsOf } from "../../test/cluster/torture/sql.ts"
import { Server } from "../../test/torture/Server.ts"
import { block, median, quantile } from "../sample.ts"
import { millis, rate, times } from "../table.ts"
import type { Row } from "../table.ts"

const agent = new URL("../null-agent.ts", import.meta.url).pathname
const secret = "a-secret-of-the-nodes-of-a-benchmark"
/** Each session is asked of its owner: no node calls another one. */
const nowhere = "http://127.0.0.1:1"
const admin = "an-admin-token-for-the-benchmark"

interface Setup {
  readonly name: string
  readonly servers: ReadonlyArray<Server>
  /** Each with the server that it asks, which owns it. */
  readonly sessions: ReadonlyArray<readonly [Server, string]>
  readonly perSecond: Array<number>
  readonly took: Array<number>
}

const configOf = (directory: string) => {
  mkdirSync(directory)
  return () =>
    writeFileSync(
      join(directory, "troupe.config.json"),
      JSON.stringify({
        defaultAgent: "null",
        agents: { null: { protocol: "acp", command: [process.execPath, agent] } }
      })
    )
}

const open = async (name: string, root: string, program: string, nodes: number, url: string | null, count: number) => {
  const directory = join(root, name)
  mkdirSync(directory)
  const app = { token: "" }
  const servers: Array<Server> = []
  for (let nth = 1; nth <= Math.max(1, nodes); nth++) {
    const own = join(directory, String(nth))
    const writeConfig = configOf(own)
    const env = { TROUPE_ADMIN_TOKEN: admin, TROUPE_MAX_PROCESSES: String(count) }
    const server = new Server(own, `bench-${process.pid}`, count, {
      program,
      tokens: { app: () => app.token, admin },
      ...(url === null
        ? { env }
        : {
            args: ["--cluster"],
            env: {
              ...env,
              TROUPE_DATABASE_URL: url,
              TROUPE_CLUSTER_SECRET: secret,
              TROUPE_NODE: `${name}-${nth}`,
              TROUPE_NODE_URL: nowhere
            }
          })
    })
    writeConfig()
    await server.start()
    servers.push(server)
  }
  const made = await servers[0]!.asAdmin("POST", "/admin/apps", { name: "bench" })
  app.token = String((JSON.parse(made ?? "{}") as { readonly token?: string }).token)
  const sessions: Array<readonly [Server, string]> = []
  for (let nth = 0; nth < count; nth++) {
    const server = servers[nth % servers.length]!
    const answer = await server.call("POST", "/sessions", { cwd: directory })
    sessions.push([server, String(answer?.json.session_id)])
  }
  return { name, servers, sessions, perSecond: [], took: [] } satisfies Setup
}

const round = async ({ perSecond, sessions, took }: Setup, each: number, counts: boolean) => {
  const measured = await block(sessions, each, async ([server, id]) => {
    const answer = await server.call("POST", `/sessions/${id}/turn`, { prompt: "hello" })
    if (answer?.json.ok !== true) throw new Error(`a turn failed: ${JSON.stringify(answer)}`)
  })
  if (!counts) return
  perSecond.push((measured.millis.length * 1_000) / measured.elapsedMillis)
  took.push(...measured.millis)
}

export const measure = async (program: string, rounds: number): Promise<ReadonlyArray<Row>> => {
  const sessions = 12
  const root = mkdtempSync(join(tmpdir(), "troupe-rate-"))
  const postgres = await PostgresProgram.open()
  if (postgres === null) throw new Error("no PostgreSQL can be had here")
  const setups: Array<Setup> = []
  try {
    setups.push(await open("sqlite", root, program, 0, null, sessions))
    for (const nodes of [1, 2, 3]) {
      await rowsOf(postgres.url, `CREATE SCHEMA nodes_${nodes}`)
      const url = `${postgres.url}?options=${encodeURIComponent(`-csearch_path=nodes_${nodes}`)}`
      setups.push(await open(`nodes-${nodes}`, root, program, nodes, url, sessions))
    }
    // The first wakes the agents, the second compiles.
    for (let nth = -2; nth < rounds; nth++) {
      for (const setup of setups) await round(setup, nth === -2 ? 1 : 20, nth >= 0)
    }
    const [sqlite, ...clusters] = setups as [Setup, ...Array<Setup>]
    const reference = median(sqlite.perSecond)
    return clusters.flatMap(({ name, perSecond, took }) => [
      {
        what: `turns, ${sessions} sessions, PostgreSQL, ${name}`,
        troupe: rate(median(perSecond), "turns"),
        reference: `${rate(reference)} SQLite`,
        comparison: times(median(perSecond) / reference)
      },
      {
        what: `the same, one turn: p50`,
        troupe: millis(quantile(took, 0.5)),
        reference: `${millis(quantile(sqlite.took, 0.5))} SQLite`,
        comparison: times(quantile(took, 0.5) / quantile(sqlite.took, 0.5))
      }
    ])
  } finally {
    for (const { servers } of setups) {
      for (const server of servers) {
        server.signal("SIGKILL")
        await server.gone()
      }
    }
    await postgres.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
