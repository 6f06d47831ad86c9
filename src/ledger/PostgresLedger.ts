/**
 * The ledger in a PostgreSQL database (14 or newer).
 *
 * What was acknowledged outlives this process, and the server as far as its `synchronous_commit` promises.
 */
import { Effect, Layer } from "effect"
import type { Redacted } from "effect"
import { defaultLimits } from "../domain/Settings.ts"
import { Ledger } from "./Ledger.ts"
import type { LedgerUnusable } from "./LedgerError.ts"
import * as Client from "./postgres/client.ts"
import * as Database from "./postgres/Database.ts"
import { ledgerOver } from "./sql/ledgerOver.ts"

export interface PostgresLedgerOptions {
  readonly patienceMillis?: number
  /** Absent: as the only Troupe that works on sessions (`Works`). */
  readonly works?: Database.Works
}

/** The schema is made and migrated where need be; the database must exist, and be empty or Troupe's. */
export const layer = (
  url: Redacted.Redacted<string>,
  { patienceMillis = defaultLimits.ledgerPatienceMillis, works = "alone" }: PostgresLedgerOptions = {}
): Layer.Layer<Ledger, LedgerUnusable> =>
  Layer.effect(
    Ledger,
    Effect.flatMap(Database.open({ url, works }), (db) =>
      ledgerOver(db, { patienceMillis, announcements: db.announcements, size: sizeOf(db) })
    )
  )

/** Its log is the server's, and of all its databases. */
const sizeOf = (db: Database.PostgresDatabase) =>
  Effect.map(
    db.all(
      "measure the database",
      "SELECT pg_database_size(current_database()) AS bytes",
      [],
      (row: { readonly bytes: number }) => row.bytes
    ),
    ([bytes = 0]) => ({ bytes, walBytes: 0 })
  )

/** Brings the schema up to date; the version that it has then. */
export const migrate = Database.migrateOnly

/** Looks at the database without changing anything in it. */
export { examine } from "./postgres/examine.ts"
export type { DatabaseFacts } from "./postgres/examine.ts"
export {
  inWords as clockInWords,
  isOff as isClockOff,
  mostMillis as mostClockMillis
} from "./postgres/clockDifference.ts"

/** The address without its password. */
export const locationOf = (url: Redacted.Redacted<string>): string => Client.locationOf(url)
