/** How large the ledger's file is, and the log beside it. */
import { Effect } from "effect"
import { statSync } from "node:fs"
import type { LedgerSize } from "../Ledger.ts"
import type { LedgerError } from "../LedgerError.ts"
import type { Database } from "../sql/Database.ts"

export const of = (db: Database, filename: string): Effect.Effect<LedgerSize, LedgerError> =>
  Effect.map(
    db.all(
      "measure the file",
      "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
      [],
      (row: { readonly bytes: number }) => row.bytes
    ),
    ([bytes = 0]) => ({ bytes, walBytes: statSync(`${filename}-wal`, { throwIfNoEntry: false })?.size ?? 0 })
  )
