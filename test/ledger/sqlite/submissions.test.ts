/** The keys of turns, which receipts had before, are with their turns after the migration. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { DatabaseSync } from "node:sqlite"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import { Connection } from "../../../src/ledger/sqlite/Connection.ts"
import { migrate } from "../../../src/ledger/sqlite/migrate.ts"
import { migrations } from "../../../src/ledger/sqlite/migrations.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { app, id, opened, scratchFile, turn } from "../samples.ts"

const poolFull = {
  status: "failed",
  endedAt: 5,
  stopReason: "error",
  failure: { class: "pool_full", message: "no process is free" }
} as const

const migratedBefore = 16

const older = Object.fromEntries(
  Object.entries(migrations).filter(([key]) => Number.parseInt(key, 10) < migratedBefore)
)

/** As the version before left it: of the rows those columns that its schema has. */
const before = Effect.fnUntraced(function* (file: string) {
  const earlier = yield* scratchFile
  const connection = new Connection(earlier)
  yield* migrate(connection, older)
  connection.close()
  const db = new DatabaseSync(earlier)
  db.exec(`ATTACH '${file}' AS newer`)
  for (const table of ["sessions", "session_requests", "turns"]) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all()
    const names = columns.map(({ name }) => String(name)).join(", ")
    db.exec(`INSERT INTO ${table} (${names}) SELECT ${names} FROM newer.${table}`)
  }
  const insert = db.prepare(
    "INSERT INTO receipts (app, key, fingerprint, created_at, status, body, session, turn) VALUES (?, ?, ?, 1, ?, ?, ?, ?)"
  )
  insert.run(app, "answered", "f1", 200, "{}", id, 1)
  insert.run(app, "open", "f2", null, null, id, 2)
  insert.run(app, "refused", "f3", null, null, id, 3)
  insert.run(app, "created", "f4", null, null, id, null)
  db.close()
  return earlier
})

it.effect("a key that an earlier version accepted a turn with still leads to that turn", () =>
  Effect.gen(function* () {
    const file = yield* scratchFile
    yield* Ledger.use((ledger) =>
      ledger.write([
        opened(),
        { _tag: "TurnInserted", record: turn() },
        { _tag: "TurnInserted", record: turn({ index: 2 }) },
        { _tag: "TurnInserted", record: turn({ index: 3, ...poolFull }) }
      ])
    ).pipe(Effect.provide(SqliteLedger.layer(file)))
    const earlier = yield* before(file)
    yield* Effect.gen(function* () {
      const ledger = yield* Ledger
      const found = (key: string) => Effect.map(ledger.turnOfSubmission(id, key), Option.getOrNull)
      assert.deepStrictEqual(yield* found("answered"), { index: 1, fingerprint: "f1", isOpen: true })
      assert.deepStrictEqual(yield* found("open"), { index: 2, fingerprint: "f2", isOpen: true })
      assert.isNull(yield* found("refused"))
      const kept = yield* Effect.forEach(["answered", "open", "refused", "created"], (key) => ledger.receipt(app, key))
      assert.deepStrictEqual(kept.map(Option.isSome), [true, false, false, true])
    }).pipe(Effect.provide(SqliteLedger.layer(earlier)))
  }).pipe(Effect.scoped)
)
