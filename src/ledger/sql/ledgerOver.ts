/** The ledger on a database of SQL: one writer that groups commits, and the reads of each table. */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { Announcements } from "../Announcements.ts"
import type { Ledger } from "../Ledger.ts"
import { LedgerError } from "../LedgerError.ts"
import type { Database } from "./Database.ts"
import * as Approvals from "./tables/approvals.ts"
import * as Apps from "./tables/apps.ts"
import * as Attention from "./tables/attention.ts"
import * as Audit from "./tables/audit.ts"
import * as Capsules from "./tables/capsules.ts"
import * as Costs from "./tables/costs.ts"
import * as Events from "./tables/events.ts"
import * as Files from "./tables/files.ts"
import * as Learned from "./tables/learned.ts"
import * as Leases from "./tables/leases.ts"
import * as Overview from "./tables/overview.ts"
import * as Nodes from "./tables/nodes.ts"
import * as Receipts from "./tables/receipts.ts"
import * as Reviews from "./tables/reviews.ts"
import * as Sessions from "./tables/sessions.ts"
import * as Steps from "./tables/steps.ts"
import * as Tallies from "./tables/tallies.ts"
import * as Turns from "./tables/turns.ts"
import * as Webhooks from "./tables/webhooks.ts"
import * as Writer from "./Writer.ts"

export interface LedgerOptions {
  /** How long commits are held while the database takes none. */
  readonly patienceMillis: number
  /** Absent where the database does it by itself. */
  readonly giveBackSpace?: Ledger["Service"]["giveBackSpace"]
  /** Absent: nobody measures it. */
  readonly size?: Ledger["Service"]["size"]
  /** Absent where no other Troupe can work on the database. */
  readonly announcements?: Announcements
}

const notMeasured = Effect.succeed({ bytes: 0, walBytes: 0 })

/** The ledger on an open database. */
export const ledgerOver = Effect.fnUntraced(function* (
  db: Database,
  { announcements, giveBackSpace = Effect.succeed(0), patienceMillis, size = notMeasured }: LedgerOptions
): Effect.fn.Return<Ledger["Service"], never, Scope.Scope> {
  const writer = yield* Writer.make(db, patienceMillis)
  const ping = db
    .commit("write and read a row", [
      {
        text: "INSERT INTO pings (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = pings.n + 1 RETURNING n",
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
    giveBackSpace,
    size,
    announcements: announcements ?? null,
    ...Sessions.reads(db),
    ...Overview.reads(db),
    ...Attention.reads(db),
    ...Steps.reads(db),
    ...Tallies.reads(db),
    ...Turns.reads(db),
    ...Events.reads(db),
    ...Audit.reads(db),
    ...Costs.reads(db),
    ...Leases.reads(db),
    ...Nodes.reads(db),
    ...Capsules.reads(db),
    ...Files.reads(db),
    ...Apps.reads(db),
    ...Receipts.reads(db),
    ...Reviews.reads(db),
    ...Learned.reads(db),
    ...Approvals.reads(db),
    ...Webhooks.reads(db)
  }
})
