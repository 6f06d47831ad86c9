/**
 * `npm run test:kills`: the server is killed at the nth write of its first start, of a start that recovers, of a migration,
 * of a checkpoint and of a sweep, for n = 1, 2, … until one comes through. Then it starts again, and nothing is lost,
 * overwritten or left.
 *
 * `KILLS=whole` takes every n; without it the distance grows, for there are some hundred.
 */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { latestVersion } from "../../src/ledger/sqlite/migrations.ts"
import { dataDirIn } from "../ledger/olderDataDir.ts"
import type { Kind } from "../reliability/faults.ts"
import { problemsIn, rowsOf } from "./ledgerRows.ts"
import { processesOf } from "./processes.ts"
import { Server } from "./Server.ts"
import type { StartOptions } from "./Server.ts"
import { processes, sessionsOf } from "./states.ts"

const preload = new URL("../reliability/armed.ts", import.meta.url).pathname

const killedAt = (kind: Kind, nth: number, more: Readonly<Record<string, string>> = {}): StartOptions => ({
  preload,
  env: { FAULT: `${kind}:${nth}:kill`, ...more }
})

const next = (nth: number) => (process.env["KILLS"] === "whole" ? nth + 1 : Math.ceil(nth * 1.3) + 1)

let root = ""
const servers: Array<Server> = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "troupe-moments-"))
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.signal("SIGKILL")
    await server.gone()
    for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
  }
  rmSync(root, { recursive: true, force: true })
})

let count = 0
/** A server on a directory of its own. */
const newServer = (maxProcesses = 6) => {
  const directory = join(root, String(++count))
  mkdirSync(directory)
  const server = new Server(directory, `moments-${process.pid}-${count}`, maxProcesses)
  servers.push(server)
  return server
}

/** A turn of a new session works, and with the server's end everything is at rest. */
const assertWorks = async (server: Server, what: string) => {
  const created = await server.call("POST", "/sessions", { cwd: server.directory, permissions: "approve_all" })
  const id = String(created?.json.session_id)
  const answer = await server.call("POST", `/sessions/${id}/turn`, { prompt: "turn 1" })
  assert.strictEqual(answer?.json.stop_reason, "end_turn", `${what}: ${JSON.stringify(answer ?? created)}`)
}

const assertRests = async (server: Server, what: string) => {
  server.signal("SIGTERM")
  await server.gone()
  assert.deepStrictEqual(problemsIn(server.directory), [], what)
  assert.deepStrictEqual(processesOf(server.run), [], what)
}

describe("a server that is killed at the nth write of its first start", () => {
  it.each(["file operation", "ledger write"] as const)("starts again, and works: %s", async (kind) => {
    let killed = 0
    for (let nth = 1; ; nth = next(nth)) {
      const server = newServer()
      const isThrough = await server.start(killedAt(kind, nth))
      if (isThrough) break
      killed++
      const what = `${kind} ${nth}`
      assert.isTrue(await server.start(), what)
      await assertWorks(server, what)
      await assertRests(server, what)
    }
    console.log(`first start, ${kind}: killed at ${killed} moments`)
    assert.isAbove(killed, 4)
  })
})

describe("a server that is killed at the nth write of a start that recovers", () => {
  it("comes to its end in the last start, with sessions that were in every state", async () => {
    const server = newServer(processes)
    const sessions = sessionsOf(server)
    await server.start()
    const ids = await sessions.begin()
    server.signal("SIGKILL")
    await server.gone()
    // Each start finds what the one before has left.
    let killed = 0
    for (const kind of ["signal", "ledger write", "file operation"] as const) {
      for (let nth = 1; !(await server.start(killedAt(kind, nth))); nth = next(nth)) killed++
      server.signal("SIGKILL")
      await server.gone()
    }
    await server.start()
    console.log(`a start that recovers: killed at ${killed} moments`)
    assert.isAbove(killed, 8)
    await sessions.holds(ids)
    await assertRests(server, "recovery")
  })
})

/** Every row of these is there as it was, and the turns and sessions too. */
const history = (directory: string) => ({
  events: rowsOf(directory, "SELECT session, seq, turn, at, message FROM events ORDER BY session, seq"),
  turns: rowsOf(directory, "SELECT session, idx, submitted_at FROM turns ORDER BY session, idx"),
  sessions: rowsOf(directory, "SELECT id FROM sessions ORDER BY id")
})

const hasAll = (before: ReadonlyArray<object>, after: ReadonlyArray<object>) => {
  const found = new Set(after.map((row) => JSON.stringify(row)))
  return before.filter((row) => !found.has(JSON.stringify(row)))
}

describe("a server that is killed at the nth write of a migration", () => {
  it("has the whole ledger of the earlier version after its next start", async () => {
    let killed = 0
    for (let nth = 1; ; nth = next(nth)) {
      const server = newServer()
      const what = `ledger write ${nth}`
      dataDirIn(server.directory, join(server.directory, ".troupe"))
      const before = history(server.directory)
      assert.isAbove(before.events.length, 50)
      const versionOf = () => rowsOf(server.directory, "SELECT max(migration_id) AS v FROM troupe_migrations")[0]?.["v"]
      assert.isBelow(Number(versionOf()), latestVersion)
      // The app of that ledger has its own token, so the server is looked at from outside.
      const isThrough = await server.start({ ...killedAt("ledger write", nth), isListening: true })
      const isMigrated = versionOf() === latestVersion
      if (!isThrough) {
        killed++
        assert.isTrue(await server.start({ isListening: true }), what)
      }
      assert.strictEqual(versionOf(), latestVersion, what)
      const after = history(server.directory)
      for (const table of ["events", "turns", "sessions"] as const) {
        assert.deepStrictEqual(hasAll(before[table], after[table]), [], `${what}: ${table}`)
      }
      server.signal("SIGKILL")
      await server.gone()
      // From then on it is a start that recovers.
      if (isThrough || isMigrated) break
    }
    console.log(`migration: killed at ${killed} moments`)
    assert.isAbove(killed, 4)
  })
})

const hasStrace = spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status === 0

/** Kills the server when its main thread, which alone writes the ledger, is about to make the nth such call to the file. */
const killedAtCall = (file: string, call: string, nth: number): StartOptions => ({
  by: [
    "strace",
    "-D",
    "-qq",
    "-o",
    "/dev/null",
    "-P",
    file,
    "-e",
    `trace=${call}`,
    "-e",
    `inject=${call}:signal=KILL:when=${nth}`
  ]
})

describe.skipIf(!hasStrace)("a server that is killed at the nth write of a checkpoint", () => {
  /** The log of the ledger, grown beyond the pages at which the next commit makes a checkpoint. */
  const growLog = (directory: string) => {
    const ledger = new DatabaseSync(join(directory, ".troupe", "troupe.sqlite"))
    ledger.exec("PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 0")
    ledger.exec("CREATE TABLE ballast (x BLOB); INSERT INTO ballast VALUES (zeroblob(80000000)); DROP TABLE ballast")
    return ledger
  }

  it.each(["pwrite64", "fsync"] as const)("has a whole ledger after its next start: %s", async (call) => {
    let killed = 0
    for (let nth = 1; nth < 40_000; nth = call === "pwrite64" ? nth * 12 : nth + 1) {
      const server = newServer()
      const what = `${call} ${nth}`
      await server.start()
      await assertWorks(server, what)
      server.signal("SIGKILL")
      await server.gone()
      const before = history(server.directory)
      // In a write-ahead log only a checkpoint writes the file itself.
      const file = join(server.directory, ".troupe", "troupe.sqlite")
      const isReady = await server.start(killedAtCall(file, call, nth))
      // As long as another connection is open, the server's is not the last, whose end would make a checkpoint.
      const log = isReady ? growLog(server.directory) : null
      if (log !== null) {
        for (let tries = 0; server.isRunning && tries < 5; tries++) {
          await server.call("POST", "/sessions", { cwd: server.directory })
        }
      }
      const wasKilled = !server.isRunning
      server.signal("SIGKILL")
      await server.gone()
      log?.close()
      if (!wasKilled) break
      killed++
      assert.isTrue(await server.start(), what)
      for (const table of ["events", "turns", "sessions"] as const) {
        assert.deepStrictEqual(hasAll(before[table], history(server.directory)[table]), [], `${what}: ${table}`)
      }
      await assertWorks(server, what)
      await assertRests(server, what)
    }
    console.log(`checkpoint, ${call}: killed at ${killed} moments`)
    assert.isAbove(killed, 0)
  })
})

describe("a server that is killed at the nth write of a sweep", () => {
  it.each(["ledger write", "file operation"] as const)(
    "sweeps what is due with its next sweep, and nothing else: %s",
    async (kind) => {
      const env = {
        TROUPE_SESSION_IDLE_TTL: "4 seconds",
        TROUPE_SESSION_HARD_TTL: "0 seconds",
        TROUPE_SWEEP_INTERVAL: "1 hour"
      }
      let killed = 0
      for (let nth = 1; ; nth = next(nth)) {
        const server = newServer()
        const what = `${kind} ${nth}`
        const armed = killedAt(kind, nth, { ...env, FAULT_AT: "SIGUSR2" })
        await server.start(armed)
        const create = async (body: object = {}) =>
          String((await server.call("POST", "/sessions", { permissions: "approve_all", ...body }))?.json.session_id)
        // Both are due: one was closed and has a directory of its own, the other was idle for too long.
        const [closed, idle] = [await create(), await create({ cwd: server.directory })]
        for (const [at, id] of [closed, idle].entries()) {
          await server.call("POST", `/sessions/${id}/turn`, { prompt: `turn ${at + 1}` })
        }
        await server.call("DELETE", `/sessions/${closed}`)
        await new Promise((resolve) => setTimeout(resolve, 4_100))
        const fresh = await create({ cwd: server.directory })
        const own = join(server.directory, ".troupe", "sessions", closed)
        assert.isTrue(existsSync(own), what)
        server.signal("SIGUSR2")
        while (!server.log.includes("armed:")) await new Promise((resolve) => setTimeout(resolve, 10))
        const swept = await server.asAdmin("POST", "/admin/sweep")
        const wasKilled = swept === null
        // The fault is still armed, for whatever comes then.
        if (!wasKilled) break
        killed++
        await server.gone()
        assert.isTrue(await server.start({ env }), what)
        const stateOf = (id: string) =>
          rowsOf(server.directory, `SELECT state FROM sessions WHERE id = '${id}'`)[0]?.["state"]
        assert.include(["idle"], stateOf(fresh), what)
        // A session whose process was lost in the restart was in use until then.
        await new Promise((resolve) => setTimeout(resolve, 4_100))
        await server.asAdmin("POST", "/admin/sweep")
        assert.isUndefined(stateOf(closed), what)
        const burials = `SELECT 1 FROM audit WHERE action = 'sweep_delete' AND session = '${closed}'`
        assert.lengthOf(rowsOf(server.directory, burials), 1, what)
        assert.include(["closed", undefined], stateOf(idle), what)
        assert.isFalse(existsSync(own), what)
        await assertWorks(server, what)
        await assertRests(server, what)
      }
      console.log(`sweep, ${kind}: killed at ${killed} moments`)
      assert.isAbove(killed, 0)
    }
  )
})
