/** A PostgreSQL server whose disk, or whose queue of notifications, is full: what was accepted goes on when there is room again. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { PostgresProgram } from "../ledger/postgres/PostgresProgram.ts"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { sessionOf, startClients } from "./clients.ts"
import { Cluster, until } from "./nodes.ts"
import { holdTransaction, rowsOf } from "./torture/sql.ts"

/** A disk of so many bytes; `null`: none can be mounted here. */
const smallDisk = (size: string) => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-disk-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=755`, "troupe-test", directory], { stdio: "ignore" })
    return directory
  } catch {
    rmSync(directory, { recursive: true })
    return null
  }
}

/** Until not a byte is free. */
const fill = (file: string) => {
  const descriptor = openSync(file, "a")
  for (let bytes = 1024 * 1024; bytes >= 1;) {
    try {
      if (writeSync(descriptor, Buffer.alloc(bytes)) < bytes) bytes = Math.floor(bytes / 2)
    } catch {
      bytes = Math.floor(bytes / 2)
    }
  }
  closeSync(descriptor)
}

describe.skipIf(postgres === null)("nodes whose database", () => {
  it("has no room on its disk: no turn that was answered is lost, and they go on when there is some", async (context) => {
    const disk = smallDisk("320m")
    if (disk === null) return context.skip("no file system can be mounted here")
    const settings = ["max_wal_size=48MB", "min_wal_size=32MB"]
    const server = await PostgresProgram.open({}, { directory: disk, settings })
    assert.isNotNull(server)
    const nodes = new Cluster(server!.url)
    try {
      const both = [await nodes.start("first"), await nodes.start("second")] as const
      const clients = await startClients(...both)
      await clients.more(8)
      // What the server keeps of itself would be room, too, once it is used again.
      await until("a full disk", async () => {
        fill(join(disk, "filler"))
        const ready = await Promise.all(both.map(({ url }) => fetch(`${url}/readyz`).then(({ status }) => status)))
        return ready.every((status) => status === 503)
      })
      rmSync(join(disk, "filler"))
      // It may have given up.
      if (!server!.isRunning) await server!.start()
      await clients.more(8)
      await clients.endKept()
    } finally {
      await nodes.cleanUp()
      await server!.close()
      execFileSync("umount", [disk])
      rmSync(disk, { recursive: true })
    }
  })

  it("takes no more notifications: turns and readers go on by what they look up, and hear again after it", async (context) => {
    const server = await PostgresProgram.open({}, { settings: ["max_notify_queue_pages=64"] })
    // The setting is of PostgreSQL 17: an older server does not start with it.
    if (server === null) return context.skip("no PostgreSQL with that setting can be had here")
    const nodes = new Cluster(server!.url)
    try {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      const turn = (prompt: string) => second.call("POST", `/sessions/${session}/turn`, { prompt }, crypto.randomUUID())
      const readers = [first, second].map((node) => node.read(session))
      assert.deepInclude((await turn("before")).json, { ok: true })
      // One that listens and reads nothing keeps all that is told.
      const isFull = async () =>
        rowsOf(
          server!.url,
          "SELECT count(pg_notify('filler', repeat(md5(random()::text), 240)))::int AS n FROM generate_series(1, 10)"
        ).then(
          () => false,
          (error: unknown) => inspect(error, { depth: 10 }).includes("too many notifications")
        )
      const said = (words: string) => () =>
        [first, second].every(({ program }) => (program.stdout() + program.stderr()).includes(words))
      // As long as the test may take.
      const held = holdTransaction(server!.url, ["LISTEN filler", "COMMIT", "BEGIN", "SELECT 1"], 110_000)
      held.catch(() => {})
      await until("a full queue", isFull)
      for (const prompt of ["one", "two"]) assert.deepInclude((await turn(prompt)).json, { ok: true })
      for (const reader of readers) await until("what was said", () => reader.text().includes("You said: two"))
      await until("that nothing is told", said("is not heard"))
      await rowsOf(
        server!.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query = 'SELECT 1'"
      )
      await until("what is told", said("is heard again"))
      assert.deepInclude((await turn("after")).json, { ok: true })
      for (const reader of readers) {
        await until("what was said then", () => reader.text().includes("You said: after"))
        assert.deepStrictEqual(
          reader.ids,
          reader.ids.map((_, nth) => nth + 1)
        )
        await reader.stop()
      }
    } finally {
      await nodes.cleanUp()
      await server!.close()
    }
  })
})
