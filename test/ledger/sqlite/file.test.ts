/** The SQLite file of a ledger: its permissions, and the files that are refused with an error that says what to do. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option } from "effect"
import { spawn } from "node:child_process"
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { troupeMessage } from "../../../src/domain/events/troupeMessage.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { latestVersion } from "../../../src/ledger/sqlite/migrations.ts"
import { EventRows } from "../../../src/session/EventRows.ts"
import { event, id, opened, eventAppended, scratchFile, session } from "../samples.ts"
import { SessionId } from "../../../src/domain/Ids.ts"

const using = <A, E>(filename: string, test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
  Ledger.use(test).pipe(Effect.provide(SqliteLedger.layer(filename)))

const refusal = (filename: string) =>
  Effect.map(using(filename, (ledger) => ledger.ping).pipe(Effect.flip), (error) => error.message)

describe("the ledger's file", () => {
  it.live("a fresh file can be opened by several processes at once", () =>
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

  it.effect("a file is readable by its user only, as are the files that SQLite keeps beside it", () =>
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

  it.effect("each ledger in memory is a database of its own", () =>
    Effect.gen(function* () {
      yield* using(":memory:", (ledger) => ledger.write([opened()]))
      assert.strictEqual(yield* using(":memory:", (ledger) => ledger.openSessions(null)), 0)
    })
  )

  it.effect("a file shrinks when what takes its room was removed, and a file of 0.1.0 stays as it is", () =>
    Effect.gen(function* () {
      const long = {
        ...session({ closedAt: 1, state: "closed", substate: "closed" }),
        meta: { text: "x".repeat(60_000) }
      }
      const many = Array.from({ length: 100 }, (_, n) => ({
        ...long,
        id: SessionId.make(`ses_${String(n).padStart(27, "0")}`)
      }))
      for (const isOld of [false, true]) {
        const filename = yield* scratchFile
        if (isOld) {
          const db = new DatabaseSync(filename)
          // Without auto_vacuum, as 0.1.0 made its files.
          db.exec("PRAGMA page_size = 2048; PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA journal_mode = WAL")
          db.close()
        }
        yield* using(filename, (ledger) =>
          Effect.gen(function* () {
            yield* ledger.write(many.map((record) => ({ _tag: "SessionInserted", record, snapshot: null })))
            yield* ledger.remove(
              many.map(({ id }) => id),
              []
            )
            const pages = yield* ledger.giveBackSpace
            if (isOld) assert.strictEqual(pages, 0)
            else assert.isAbove(pages, 2_500)
            assert.strictEqual(yield* ledger.giveBackSpace, 0)
            yield* ledger.write([opened(), eventAppended(1)])
          })
        )
        // Closing has written the WAL back. Six megabytes were stored.
        if (isOld) assert.isAbove(statSync(filename).size, 6_000_000)
        else assert.isBelow(statSync(filename).size, 600_000)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("a file that a newer Troupe only added to is worked on as before", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened()]))
      const db = new DatabaseSync(filename)
      db.exec("ALTER TABLE sessions ADD COLUMN mood TEXT; CREATE TABLE moods (name TEXT PRIMARY KEY) STRICT")
      db.prepare("INSERT INTO troupe_migrations (migration_id, name) VALUES (?, 'moods')").run(latestVersion + 1)
      db.close()
      yield* using(filename, (ledger) =>
        Effect.gen(function* () {
          yield* ledger.write([eventAppended(1), opened({ id: SessionId.make("ses_later") })])
          assert.isTrue(Option.isSome(yield* ledger.session(SessionId.make("ses_later"))))
        })
      )
      assert.strictEqual(yield* SqliteLedger.migrate(filename), latestVersion + 1)
    }).pipe(Effect.scoped)
  )

  it.effect("a file from which a newer Troupe took what this one uses is refused and not changed", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened()]))
      const db = new DatabaseSync(filename)
      db.prepare("INSERT INTO troupe_migrations (migration_id, name) VALUES (?, 'to_come')").run(latestVersion + 3)
      db.prepare("UPDATE schema_use SET usable_from = ?").run(latestVersion + 1)
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

  it.effect("a file that is not a database is refused", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      writeFileSync(filename, "dear diary, ".repeat(500))
      assert.match(yield* refusal(filename), /is no SQLite database, or a damaged one.*Restore it from a backup/)
      assert.match(readFileSync(filename, "utf8"), /^dear diary/)
    }).pipe(Effect.scoped)
  )

  it.effect("a truncated file is refused", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened()]))
      writeFileSync(filename, readFileSync(filename).subarray(0, 5_000))
      assert.match(yield* refusal(filename), /a damaged one/)
    }).pipe(Effect.scoped)
  )

  it.effect("a file with a page of zeros is refused, and not changed", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) =>
        ledger.write([opened(), ...Array.from({ length: 200 }, (_, n) => eventAppended(n + 1))])
      )
      const bytes = readFileSync(filename)
      const page = 2_048
      // The last pages have rows of events: nothing reads them while the ledger is opened.
      for (let nth = 3; nth < 8; nth++) bytes.fill(0, bytes.length - nth * page, bytes.length - (nth - 1) * page)
      writeFileSync(filename, bytes)
      assert.match(yield* refusal(filename), /is damaged \(.+\)\. Nothing was changed\. Restore it from a backup/)
      assert.isTrue(readFileSync(filename).equals(bytes))
    }).pipe(Effect.scoped)
  )

  it.effect("a file with a flipped bit is refused in one line and not changed, or opened where no page shows it", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) =>
        ledger.write([opened(), ...Array.from({ length: 50 }, (_, n) => eventAppended(n + 1))])
      )
      const whole = readFileSync(filename)
      let refused = 0
      const flips = 200
      for (let nth = 0; nth < flips; nth++) {
        const bytes = Buffer.from(whole)
        // Spread over the file, its header and its last page included.
        const at = Math.floor((nth * (bytes.length - 1)) / (flips - 1))
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (nth % 8))
        writeFileSync(filename, bytes)
        const exit = yield* Effect.exit(using(filename, (ledger) => ledger.session(id)))
        if (Exit.isSuccess(exit)) continue
        refused += 1
        const [line = ""] = Cause.prettyErrors(exit.cause).map(({ message }) => message)
        assert.match(line, /^(LedgerUnusable: )?The ledger .+\. .+|^Troupe could not /, `byte ${at}: ${line}`)
        assert.notInclude(line, "\n")
        // One that opened and could not read the session has stored its start.
        if (line.startsWith("Troupe could not read")) continue
        assert.isTrue(readFileSync(filename).equals(bytes), `byte ${at} was refused, and the file was changed: ${line}`)
      }
      // Most of the file is room that is not used yet: the more tables, the more of it.
      assert.isAbove(refused, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("a database of another program is refused", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const db = new DatabaseSync(filename)
      db.exec("CREATE TABLE recipes (name TEXT)")
      db.close()
      assert.match(yield* refusal(filename), /another program's SQLite database. Point TROUPE_DATA_DIR/)
    }).pipe(Effect.scoped)
  )

  it.effect("a file whose directory does not exist is refused", () =>
    Effect.gen(function* () {
      const filename = `${yield* scratchFile}/nowhere/ledger.sqlite`
      assert.match(yield* refusal(filename), /could not be opened .* Check that its directory exists/)
    }).pipe(Effect.scoped)
  )

  it.effect("a row that was tampered with is read as unreadable, and takes no other row away", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* using(filename, (ledger) => ledger.write([opened(), eventAppended(1), eventAppended(2)]))
      const db = new DatabaseSync(filename)
      db.exec("UPDATE events SET message = '{' WHERE seq = 1")
      db.close()
      const [bad, good] = yield* using(filename, (ledger) => ledger.events(id, 0, 10))
      assert.deepStrictEqual(bad?.message, troupeMessage("unreadable", { note: "is not JSON in the ledger" }))
      assert.strictEqual(good?.seq, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("events whose row was tampered with are unreadable in their places, and take no other away", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const events = [event(1), event(2), event(3)]
      yield* using(filename, (ledger) =>
        ledger.write([opened(), ...new EventRows().entriesOf(events).entries, eventAppended(4)])
      )
      const db = new DatabaseSync(filename)
      db.exec("UPDATE events SET more = substr(more, 1, length(more) - 1) WHERE seq = 1")
      db.close()
      const found = yield* using(filename, (ledger) => ledger.events(id, 0, 10))
      const missing = troupeMessage("unreadable", { note: "is missing in the ledger" })
      assert.deepStrictEqual(
        found.map(({ message }) => message),
        [event(1).message, event(2).message, missing, event(4).message]
      )
      assert.deepStrictEqual(
        found.map(({ seq }) => seq),
        [1, 2, 3, 4]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("a command that was tampered with fails its read as damage, which does not pass", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const command = { session: id, step: 1, nth: 0, type: "prompt", params: null, once: true, claimed: false }
      yield* using(filename, (ledger) => ledger.write([opened(), { _tag: "CommandQueued", command }]))
      const db = new DatabaseSync(filename)
      db.exec("UPDATE owed SET params = '{'")
      db.close()
      const error = yield* Effect.flip(using(filename, (ledger) => ledger.outbox(id)))
      assert.deepStrictEqual("kind" in error ? [error.kind, error.away] : error, ["damaged", false])
    }).pipe(Effect.scoped)
  )
})
