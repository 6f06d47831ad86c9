/** The log is copied into the file beside the commits, begins anew, and is gone when the ledger is closed. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, statSync } from "node:fs"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as Checkpoints from "../../../src/ledger/sqlite/Checkpoints.ts"
import { Connection } from "../../../src/ledger/sqlite/Connection.ts"
import { open } from "../../../src/ledger/sqlite/Database.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { eventAppended, id, opened, scratchFile } from "../samples.ts"

const text = "x".repeat(2_000)
const insert = (n: number) =>
  Array.from({ length: n }, () => ({ text: "INSERT INTO ballast (text) VALUES (?)", params: [text] }))
const create = { text: "CREATE TABLE ballast (id INTEGER PRIMARY KEY, text TEXT)", params: [] }

it.live("a log that is written to without a pause is copied, and never grows to what commits would copy", () =>
  Effect.gen(function* () {
    const file = yield* scratchFile
    yield* Effect.scoped(
      Effect.gen(function* () {
        const db = yield* open(file)
        yield* db.commit("create", [create])
        let most = 0
        // 300 MB in all.
        for (let commit = 0; commit < 1_500; commit++) {
          yield* db.commit("fill", insert(100))
          most = Math.max(most, statSync(`${file}-wal`).size)
          if (commit % 20 === 0) yield* Effect.sleep("1 millis")
        }
        assert.isBelow(most, 150 * 1024 * 1024, "it began anew")
        assert.isAbove(statSync(file).size, 200 * 1024 * 1024, "it was copied")
      })
    )
    assert.isFalse(existsSync(`${file}-wal`), "the last connection to be closed has removed it")
    const connection = new Connection(file)
    assert.deepStrictEqual(connection.run("SELECT count(*) AS n FROM ballast", []), [{ n: 150_000 }])
    assert.deepStrictEqual(connection.run("PRAGMA integrity_check", []), [{ integrity_check: "ok" }])
    connection.close()
  })
)

it.live("where the thread fails, commits copy the log, and no file is made in place of one that is gone", () =>
  Effect.gen(function* () {
    const writer = new Connection(yield* scratchFile)
    const pages = () => writer.run("PRAGMA wal_autocheckpoint", []) as ReadonlyArray<{ wal_autocheckpoint: number }>
    const gone = `${yield* scratchFile}.gone`
    yield* Effect.scoped(
      Effect.gen(function* () {
        const checkpoints = yield* Checkpoints.make(gone, writer)
        assert.deepStrictEqual(pages(), [{ wal_autocheckpoint: 32_000 }])
        checkpoints.committed(10_000)
        while (pages()[0]?.wal_autocheckpoint !== 8_000) yield* Effect.sleep("10 millis")
        checkpoints.committed(10_000)
      })
    )
    assert.isFalse(existsSync(gone))
    writer.close()
  })
)

it.live("a ledger that is closed while its log is copied has all that was written", () =>
  Effect.gen(function* () {
    const file = yield* scratchFile
    yield* Ledger.use((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        for (let seq = 1; seq <= 4_100; seq++) yield* ledger.writeLater([eventAppended(seq)])
      })
    ).pipe(Effect.provide(SqliteLedger.layer(file)))
    assert.isFalse(existsSync(`${file}-wal`))
    const last = yield* Ledger.use((ledger) => ledger.lastEvent(id)).pipe(Effect.provide(SqliteLedger.layer(file)))
    assert.strictEqual(last, 4_100)
  })
)
