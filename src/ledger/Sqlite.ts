/** The ledger over an SQLite file: the writer in front, the tables behind. */
import { Effect } from "effect"
import type { Scope } from "effect"
import * as Database from "./Database.ts"
import type { Ledger } from "./Ledger.ts"
import type { LedgerUnusable } from "./LedgerError.ts"
import * as Approvals from "./tables/approvals.ts"
import * as Apps from "./tables/apps.ts"
import * as Audit from "./tables/audit.ts"
import * as Costs from "./tables/costs.ts"
import * as Events from "./tables/events.ts"
import * as Files from "./tables/files.ts"
import * as Learned from "./tables/learned.ts"
import * as Leases from "./tables/leases.ts"
import * as Overview from "./tables/overview.ts"
import * as Receipts from "./tables/receipts.ts"
import * as Reviews from "./tables/reviews.ts"
import * as Sessions from "./tables/sessions.ts"
import * as Steps from "./tables/steps.ts"
import * as Turns from "./tables/turns.ts"
import * as Writer from "./Writer.ts"

export const make = Effect.fnUntraced(function* (
  filename: string
): Effect.fn.Return<Ledger["Service"], LedgerUnusable, Scope.Scope> {
  const db = yield* Database.open(filename)
  const writer = yield* Writer.make(db)
  return {
    ...writer,
    ping: db
      .transaction("write and read a row", (run) =>
        run({
          text: "INSERT INTO pings (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING n",
          params: [],
          must: "the row was not there to be read back"
        })
      )
      .pipe(Effect.asVoid),
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
