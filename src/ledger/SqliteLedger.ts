/**
 * The ledger in an SQLite file: one writer that groups commits, and the reads of each table.
 *
 * What was acknowledged outlives this process; a power cut may take the last moments (`synchronous=NORMAL`), never the
 * file.
 */
import { Effect, Layer } from "effect"
import type { Scope } from "effect"
import * as Damage from "./sqlite/damage.ts"
import * as Database from "./sqlite/Database.ts"
import * as FileSize from "./sqlite/fileSize.ts"
import * as FreePages from "./sqlite/freePages.ts"
import { latestVersion, migrationsTable } from "./sqlite/migrations.ts"
import { Ledger } from "./Ledger.ts"
import { ledgerOver } from "./sql/ledgerOver.ts"
import { LedgerUnusable } from "./LedgerError.ts"
import { defaultLimits } from "../domain/Settings.ts"

const make = Effect.fnUntraced(function* (
  filename: string,
  patienceMillis: number
): Effect.fn.Return<Ledger["Service"], LedgerUnusable, Scope.Scope> {
  const damage = yield* Damage.findQuickly(filename)
  if (damage !== null) {
    return yield* new LedgerUnusable({
      location: filename,
      problem: `is damaged (${damage})`,
      remedy: "Nothing was changed. Restore it from a backup, or try `sqlite3 FILE .recover`."
    })
  }
  const db = yield* Database.open(filename)
  return yield* ledgerOver(db, {
    patienceMillis,
    giveBackSpace: FreePages.giveBack(db),
    size: FileSize.of(db, filename)
  })
})

/** Makes the file, or brings its schema up to date; the version that it has then. */
export const migrate = (filename: string): Effect.Effect<number, LedgerUnusable> =>
  Database.open(filename).pipe(
    Effect.flatMap(({ all }) =>
      all(
        "read the schema's version",
        `SELECT max(migration_id) AS version FROM ${migrationsTable}`,
        [],
        (row: Row) => row
      )
    ),
    Effect.map(([row]) => row?.version ?? latestVersion),
    Effect.catchTag("LedgerError", ({ message: problem }) =>
      Effect.fail(new LedgerUnusable({ location: filename, problem, remedy: "Try again." }))
    ),
    Effect.scoped
  )

interface Row {
  readonly version: number
}

/**
 * The file is made (mode 0600) and migrated where need be; its directory must exist. `:memory:` works. `patienceMillis` is
 * how long commits are held while the file can't be written.
 */
export const layer = (
  filename: string,
  { patienceMillis = defaultLimits.ledgerPatienceMillis }: { readonly patienceMillis?: number } = {}
): Layer.Layer<Ledger, LedgerUnusable> => Layer.effect(Ledger, make(filename, patienceMillis))
