/** The ledger's file: whose it is, what it must be, and what is refused with a line that says what to do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { latestVersion } from "../../../src/ledger/sqlite/migrations.ts"
import { id, opened, eventAppended, scratchFile } from "../samples.ts"

const using = <A, E>(filename: string, test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
  Ledger.use(test).pipe(Effect.provide(SqliteLedger.layer(filename)))

const refusal = (filename: string) =>
  Effect.map(using(filename, (ledger) => ledger.ping).pipe(Effect.flip), (error) => error.message)

describe("the ledger's file", () => {
  it.live("is opened by several processes at once, fresh as it is", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const script = new URL("../../fixtures/ledger/opens-and-pings.ts", import.meta.url).pathname
      const opens = Effect.callback<number | null>((resume) => {
        const child = spawn(process.execPath, [script, filename], { stdio: ["ignore", "ignore", "inherit"] })
        child.once("exit", (code) => resume(Effect.succeed(code)))
        return Effect.sync(() => child.kill("SIGKILL"))
      })
      assert.deepStrictEqual(yield* Effect.all([opens, opens, opens], { concurrency: "unbounded" }), [0, 0, 0])
    }).pipe(Effect.scoped)
  )

  it.effect("is its user's alone, and so is what SQLite keeps beside it", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const mode = (name: string) => statSync(name).mode & 0o777
      yield* using(filename, (ledger) =>
        Effect.gen(function* () {
          yield* ledger.write([opened()])
          assert.deepStrictEqual([filename, `${filename}-wal`, `${filename}-shm`].map(mode), [0o600, 0o600, 0o600])
        })
      )
      chmodSync(filename, 0o644)
      yield* using(filename, (ledger) => ledger.ping)
      assert.strictEqual(mode(filename), 0o600)
    }).pipe(Effect.scoped)
  )

  it.effect("may be memory, each its own", () =>
    Effect.gen(function* () {
      yield* using(":memory:", (ledger) => ledger.write([opened()]))
      assert.strictEqual(yield* using(":memory:", (ledger) => ledger.openSessions(null)), 0)
    })
  )

  it.effect("is refused, and not touched, when a newer Troupe wrote it", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened()]))
      const db = new DatabaseSync(filename)
      db.prepare("INSERT INTO troupe_migrations (migration_id, name) VALUES (?, 'to_come')").run(latestVersion + 3)
      db.close()
      const before = readFileSync(filename)
      const line = yield* refusal(filename)
      assert.include(
        line,
        `has schema version ${latestVersion + 3}, and this Troupe knows versions up to ${latestVersion}`
      )
      assert.include(line, "Start a newer Troupe")
      assert.notInclude(line, "\n")
      assert.isTrue(readFileSync(filename).equals(before))
    }).pipe(Effect.scoped)
  )

  it.effect("is refused when it is no database", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      writeFileSync(filename, "dear diary, ".repeat(500))
      assert.match(yield* refusal(filename), /is no SQLite database, or a damaged one.*Restore it from a backup/)
      assert.match(readFileSync(filename, "utf8"), /^dear diary/)
    }).pipe(Effect.scoped)
  )

  it.effect("is refused when it is cut short", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened()]))
      writeFileSync(filename, readFileSync(filename).subarray(0, 5_000))
      assert.match(yield* refusal(filename), /a damaged one/)
    }).pipe(Effect.scoped)
  )

  it.effect("is refused when it is another program's database", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const db = new DatabaseSync(filename)
      db.exec("CREATE TABLE recipes (name TEXT)")
      db.close()
      assert.match(yield* refusal(filename), /another program's SQLite database. Point TROUPE_DATA_DIR/)
    }).pipe(Effect.scoped)
  )

  it.effect("is asked for where there is no directory for it", () =>
    Effect.gen(function* () {
      const filename = `${yield* scratchFile}/nowhere/ledger.sqlite`
      assert.match(yield* refusal(filename), /could not be opened .* Check that its directory exists/)
    }).pipe(Effect.scoped)
  )

  it.effect("fails a read of what is no longer what it was", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened(), eventAppended(1)]))
      const db = new DatabaseSync(filename)
      db.exec("UPDATE events SET message = '{'")
      db.close()
      const error = yield* Effect.flip(using(filename, (ledger) => ledger.events(id, 0, 10)))
      assert.match(error.message, /could not read the events: .*JSON/)
    }).pipe(Effect.scoped)
  )
})
