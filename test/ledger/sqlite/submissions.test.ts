/** The keys of turns, which receipts had before, are with their turns after the migration. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { DatabaseSync } from "node:sqlite"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { app, id, opened, scratchFile, turn } from "../samples.ts"

const poolFull = {
  status: "failed",
  endedAt: 5,
  stopReason: "error",
  failure: { class: "pool_full", message: "no process is free" }
} as const

/** As the version before left it. */
const before = (file: string) => {
  const db = new DatabaseSync(file)
  db.exec("DROP INDEX turns_by_submission")
  for (const column of ["submission", "fingerprint"]) db.exec(`ALTER TABLE turns DROP COLUMN ${column}`)
  db.exec("DELETE FROM troupe_migrations WHERE migration_id = 16")
  const insert = db.prepare(
    "INSERT INTO receipts (app, key, fingerprint, created_at, status, body, session, turn) VALUES (?, ?, ?, 1, ?, ?, ?, ?)"
  )
  insert.run(app, "answered", "f1", 200, "{}", id, 1)
  insert.run(app, "open", "f2", null, null, id, 2)
  insert.run(app, "refused", "f3", null, null, id, 3)
  insert.run(app, "created", "f4", null, null, id, null)
  db.close()
}

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
    before(file)
    yield* Effect.gen(function* () {
      const ledger = yield* Ledger
      const found = (key: string) => Effect.map(ledger.turnOfSubmission(id, key), Option.getOrNull)
      assert.deepStrictEqual(yield* found("answered"), { index: 1, fingerprint: "f1", isOpen: true })
      assert.deepStrictEqual(yield* found("open"), { index: 2, fingerprint: "f2", isOpen: true })
      assert.isNull(yield* found("refused"))
      const kept = yield* Effect.forEach(["answered", "open", "refused", "created"], (key) => ledger.receipt(app, key))
      assert.deepStrictEqual(kept.map(Option.isSome), [true, false, false, true])
    }).pipe(Effect.provide(SqliteLedger.layer(file)))
  }).pipe(Effect.scoped)
)
