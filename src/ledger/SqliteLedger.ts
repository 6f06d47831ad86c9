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
import * as FreePages from "./sqlite/freePages.ts"
import { Ledger } from "./Ledger.ts"
import { LedgerError, LedgerUnusable } from "./LedgerError.ts"
import { defaultLimits } from "../domain/Settings.ts"
import * as Approvals from "./sqlite/tables/approvals.ts"
import * as Apps from "./sqlite/tables/apps.ts"
import * as Audit from "./sqlite/tables/audit.ts"
import * as Costs from "./sqlite/tables/costs.ts"
import * as Events from "./sqlite/tables/events.ts"
import * as Files from "./sqlite/tables/files.ts"
import * as Learned from "./sqlite/tables/learned.ts"
import * as Leases from "./sqlite/tables/leases.ts"
import * as Overview from "./sqlite/tables/overview.ts"
import * as Receipts from "./sqlite/tables/receipts.ts"
import * as Reviews from "./sqlite/tables/reviews.ts"
import * as Sessions from "./sqlite/tables/sessions.ts"
import * as Steps from "./sqlite/tables/steps.ts"
import * as Turns from "./sqlite/tables/turns.ts"
import * as Writer from "./sqlite/Writer.ts"

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
  return yield* over(yield* Database.open(filename), patienceMillis)
})

/** The ledger on an open database. */
export const over = Effect.fnUntraced(function* (
  db: Database.Database,
  patienceMillis: number
): Effect.fn.Return<Ledger["Service"], never, Scope.Scope> {
  const writer = yield* Writer.make(db, patienceMillis)
  const ping = db
    .commit("write and read a row", [
      {
        text: "INSERT INTO pings (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING n",
        params: [],
        failIfNoRow: "the row was not there to be read back"
      }
    ])
    .pipe(Effect.asVoid)
  return {
    ...writer,
    ping: Effect.suspend(() => {
      const away = writer.away()
      return away === null
        ? ping
        : Effect.fail(new LedgerError({ operation: "write and read a row", cause: away.reason, kind: away.kind }))
    }),
    giveBackSpace: FreePages.giveBack(db),
    ...Sessions.reads(db),
    ...Overview.reads(db),
    ...Steps.reads(db),
    ...Turns.reads(db),
    ...Events.reads(db),
    ...Audit.reads(db),
    ...Costs.reads(db),
    ...Leases.reads(db),
    ...Files.reads(db),
    ...Apps.reads(db),
    ...Receipts.reads(db),
    ...Reviews.reads(db),
    ...Learned.reads(db),
    ...Approvals.reads(db)
  }
})

/**
 * The file is made (mode 0600) and migrated where need be; its directory must exist. `:memory:` works. `patienceMillis` is
 * how long commits are held while the file can't be written.
 */
export const layer = (
  filename: string,
  { patienceMillis = defaultLimits.ledgerPatienceMillis }: { readonly patienceMillis?: number } = {}
): Layer.Layer<Ledger, LedgerUnusable> => Layer.effect(Ledger, make(filename, patienceMillis))
