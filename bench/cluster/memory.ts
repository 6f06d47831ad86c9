/** Measures what 100,000 stored sessions cost a node in memory, against one whose database has a single one. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { PostgresProgram } from "../../test/ledger/postgres/PostgresProgram.ts"
import { rowsOf } from "../../test/cluster/torture/sql.ts"
import { Server } from "../../test/torture/Server.ts"
import { residentBytes } from "../sample.ts"
import { megabytes, plus } from "../table.ts"
import type { Row } from "../table.ts"

const stored = 100_000
const admin = "an-admin-token-for-the-benchmark"

const open = async (directory: string, program: string, url: string) => {
  mkdirSync(directory)
  const app = { token: "" }
  const server = new Server(directory, `bench-${process.pid}`, 8, {
    program,
    args: ["--cluster"],
    tokens: { app: () => app.token, admin },
    env: {
      TROUPE_ADMIN_TOKEN: admin,
      TROUPE_DATABASE_URL: url,
      TROUPE_CLUSTER_SECRET: "a-secret-of-the-nodes-of-a-benchmark",
      TROUPE_NODE_URL: "http://127.0.0.1:1",
      TROUPE_NODE: directory.split("/").at(-1) ?? "",
      TROUPE_SESSION_TTL: "off",
      TROUPE_SESSION_IDLE_TTL: "off",
      TROUPE_MAX_SESSIONS: "1000000",
      TROUPE_MAX_SESSIONS_PER_APP: "1000000"
    }
  })
  await server.start()
  const made = await server.asAdmin("POST", "/admin/apps", { name: "bench" })
  app.token = String((JSON.parse(made ?? "{}") as { readonly token?: string }).token)
  const answer = await server.call("POST", "/sessions", { cwd: directory })
  if (answer === null || answer.status > 201) throw new Error(JSON.stringify(answer))
  return server
}

/** Copies of the one session that is there, open and asleep. Its counter is set: 100,000 changes of a row take minutes. */
const multiply = async (url: string) => {
  const columnsOf = async (table: string, key: string) =>
    (
      await rowsOf(
        url,
        `SELECT column_name FROM information_schema.columns
          WHERE table_name = '${table}' AND table_schema = current_schema() AND column_name <> '${key}'`
      )
    ).map(({ column_name: name }) => String(name))
  await rowsOf(url, "ALTER TABLE sessions DISABLE TRIGGER USER")
  for (const [table, key] of [
    ["sessions", "id"],
    ["session_requests", "session"]
  ] as const) {
    const columns = (await columnsOf(table, key)).join(", ")
    await rowsOf(
      url,
      `INSERT INTO ${table} (${key}, ${columns}) SELECT ${key} || '_' || n, ${columns}
        FROM ${table}, generate_series(1, ${stored - 1}) AS n`
    )
  }
  await rowsOf(url, "ALTER TABLE sessions ENABLE TRIGGER USER")
  await rowsOf(url, `UPDATE session_counts SET n = ${stored}`)
}

export const measure = async (program: string): Promise<ReadonlyArray<Row>> => {
  const root = mkdtempSync(join(tmpdir(), "troupe-memory-"))
  const postgres = await PostgresProgram.open()
  if (postgres === null) throw new Error("no PostgreSQL can be had here")
  const servers: Array<Server> = []
  try {
    for (const name of ["few", "many"]) {
      await rowsOf(postgres.url, `CREATE SCHEMA ${name}`)
      const url = `${postgres.url}?options=${encodeURIComponent(`-csearch_path=${name}`)}`
      const server = await open(join(root, name), program, url)
      servers.push(server)
      if (name === "few") continue
      await multiply(url)
      // A start with all of them there.
      server.signal("SIGTERM")
      await server.gone()
      await server.start()
    }
    const samples = servers.map(() => new Array<number>())
    for (let times = 0; times < 20; times++) {
      for (const [nth, server] of servers.entries()) {
        await server.call("GET", "/sessions?limit=200")
        await server.metrics()
        samples[nth]?.push(residentBytes(server.pid))
      }
      await pause(1_000)
    }
    const [few, many] = samples.map((sizes) => Math.max(...sizes)) as [number, number]
    return [
      {
        what: `memory of a node with ${stored.toLocaleString("en-US")} stored sessions, listed and counted 20 times`,
        troupe: megabytes(many),
        reference: `${megabytes(few)} with one`,
        comparison: plus((many - few) / 1e6).replace("ms", "MB")
      }
    ]
  } finally {
    for (const server of servers) {
      server.signal("SIGKILL")
      await server.gone()
    }
    await postgres.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
