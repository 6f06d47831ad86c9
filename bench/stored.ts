/**
 * Measures a start, and the dashboard's list and search, with 100,000 stored sessions, 1,000 of them unsettled, against a
 * tenth of both. The sessions are copies of three real ones: one asleep after a turn, one whose turn runs, one whose turn
 * waits for a slot. The server under them was killed. Then what both take in memory, as the program that is published.
 */
import { readFileSync, rmSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { ledgerFile } from "../src/dataDir.ts"
import buildProgram from "../test/builtProgram.ts"
import { Server } from "../test/torture/Server.ts"
import { median, residentBytes } from "./sample.ts"
import { megabytes, millis, times } from "./table.ts"
import type { Row } from "./table.ts"

export interface StoredPlan {
  /** Starts of each server, one after the other. */
  readonly starts: number
  /** Requests of each kind to each server. */
  readonly requests: number
}

const sizes = { many: { sessions: 100_000, unsettled: 1_000 }, few: { sessions: 10_000, unsettled: 100 } } as const
const readyGoalMillis = 3_000
const memoryGoalBytes = 200e6
const settleSeconds = 20
const idleSeconds = 30
const slots = 1
const killedFile = "killed.sqlite"
const requests = { list: "/inspect/api/sessions?limit=100", search: "/inspect/api/sessions?limit=100&q=nowhere-to-be" }

export const measure = async (dir: string, plan: StoredPlan): Promise<ReadonlyArray<Row>> => {
  buildProgram()
  const [few, many] = [await newServer(dir, "few"), await newServer(dir, "many")]
  const servers = [["few", few] as const, ["many", many] as const]
  const ready = { few: [] as Array<number>, many: [] as Array<number> }
  try {
    for (const [name, server] of servers) await prepare(server, sizes[name])
    for (let start = 0; start < plan.starts; start++) {
      for (const [name, server] of servers) {
        // Each start finds the file as it was when the server was killed.
        if (start > 0) await restore(server)
        ready[name].push(await startMillis(server))
      }
    }
    // What was unsettled is settled meanwhile: beside that, a list of 100,000 took 300 ms.
    await sleep(settleSeconds * 1_000)
    return [
      {
        what: `start with ${count(sizes.many.sessions)} stored sessions, ${count(sizes.many.unsettled)} of them unsettled`,
        troupe: millis(median(ready.many)),
        reference: `${millis(median(ready.few))} with a tenth`,
        comparison: times(median(ready.many) / median(ready.few)),
        goal: { text: `<= ${readyGoalMillis / 1_000} s`, met: median(ready.many) <= readyGoalMillis }
      },
      ...(await requestRows({ few, many }, plan)),
      await memoryRow({ few, many })
    ]
  } finally {
    for (const server of [few, many]) {
      server.signal("SIGKILL")
      await server.gone()
    }
  }
}

const count = (n: number) => n.toLocaleString("en-US")

const newServer = async (dir: string, name: keyof typeof sizes): Promise<Server> => {
  const directory = join(dir, `stored-${name}`)
  await mkdir(directory)
  return new Server(directory, `bench-${process.pid}-${name}`, slots, {
    env: {
      TROUPE_SESSION_TTL: "off",
      TROUPE_SESSION_IDLE_TTL: "off",
      TROUPE_MAX_SESSIONS: "1000000",
      TROUPE_MAX_SESSIONS_PER_APP: "1000000",
      TROUPE_MAX_QUEUED_TURNS: "100000",
      TROUPE_LOG_LEVEL: "error"
    }
  })
}

/** Kills the server while one turn runs and one waits, and puts copies of its sessions into its ledger. */
const prepare = async (server: Server, { sessions, unsettled }: (typeof sizes)[keyof typeof sizes]) => {
  await server.start()
  const session = async () => String((await server.call("POST", "/sessions", {}))?.json.session_id)
  const [asleep, running, queued] = [await session(), await session(), await session()]
  await server.call("POST", `/sessions/${asleep}/turn`, { prompt: "turn 1" })
  // It needs the one slot, so the first session is asleep when the agent has this prompt.
  await server.call("POST", `/sessions/${running}/turn`, { prompt: "hang 1", wait: false })
  while (!readFileSync(server.prompts, "utf8").includes("hang 1")) await sleep(20)
  await server.call("POST", `/sessions/${queued}/turn`, { prompt: "turn 2", wait: false })
  server.signal("SIGKILL")
  await server.gone()
  const db = new DatabaseSync(ledgerFile(join(server.directory, ".troupe")))
  multiply(db, asleep, sessions - unsettled)
  multiply(db, running, unsettled / 2)
  multiply(db, queued, unsettled / 2)
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
  db.exec(`VACUUM INTO '${join(server.directory, killedFile)}'`)
  db.close()
}

/** Copies a session with everything that belongs to it, but for its process's lease. */
const multiply = (db: DatabaseSync, session: string, copies: number) => {
  const owned = db
    .prepare(
      `SELECT t.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c ON c.name = 'session'
        WHERE t.type = 'table' AND t.name NOT IN ('leases', 'audit', 'receipts')`
    )
    .all()
    .map(({ name }) => String(name))
  db.exec("PRAGMA foreign_keys = OFF; BEGIN")
  for (const [table, key] of [["sessions", "id"], ...owned.map((table) => [table, "session"])] as const) {
    const columns = db
      .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 AND name <> ?")
      .all(table, key ?? "")
      .map(({ name }) => `"${String(name)}"`)
      .join(", ")
    db.prepare(
      `WITH RECURSIVE nth (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM nth WHERE n < ?)
        INSERT INTO "${table}" ("${key}", ${columns})
          SELECT "${key}" || '-' || n, ${columns} FROM nth, (SELECT * FROM "${table}" WHERE "${key}" = ?)`
    ).run(copies - 1, session)
  }
  db.exec("COMMIT")
}

const startMillis = async (server: Server): Promise<number> => {
  const began = performance.now()
  await server.start()
  return performance.now() - began
}

const restore = async (server: Server) => {
  server.signal("SIGKILL")
  await server.gone()
  const file = ledgerFile(join(server.directory, ".troupe"))
  const db = new DatabaseSync(join(server.directory, killedFile))
  for (const ending of ["", "-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true })
  db.exec(`VACUUM INTO '${file}'`)
  db.close()
}

/** Node gives memory back when it has been idle for a while; what is seen until then is garbage. */
const memoryRow = async ({ few, many }: Readonly<Record<"few" | "many", Server>>): Promise<Row> => {
  const least = { few: Infinity, many: Infinity }
  for (let second = 0; second < idleSeconds; second++) {
    await sleep(1_000)
    least.few = Math.min(least.few, residentBytes(few.pid))
    least.many = Math.min(least.many, residentBytes(many.pid))
  }
  return {
    what: `memory of the idle server (RSS), ${count(sizes.few.sessions)} sessions`,
    troupe: megabytes(least.few),
    reference: `${megabytes(least.many)} with ${count(sizes.many.sessions)}`,
    comparison: times(least.few / least.many),
    goal: { text: `<= ${megabytes(memoryGoalBytes)}`, met: least.few <= memoryGoalBytes }
  }
}

const requestRows = async (servers: Readonly<Record<"few" | "many", Server>>, plan: StoredPlan) => {
  const rows: Array<Row> = []
  for (const [name, path] of Object.entries(requests)) {
    const taken = { few: [] as Array<number>, many: [] as Array<number> }
    for (let request = 0; request < plan.requests; request++) {
      for (const [of, server] of Object.entries(servers) as ReadonlyArray<["few" | "many", Server]>) {
        const began = performance.now()
        const answer = await server.asAdmin("GET", path)
        if (answer === null || !answer.startsWith('{"ok":true')) throw new Error(`GET ${path} answered ${answer}`)
        taken[of].push(performance.now() - began)
      }
    }
    rows.push({
      what: `dashboard, ${name}, ${count(sizes.many.sessions)} sessions: p50`,
      troupe: millis(median(taken.many)),
      reference: `${millis(median(taken.few))} at ${count(sizes.few.sessions)}`,
      comparison: times(median(taken.many) / median(taken.few))
    })
  }
  return rows
}
