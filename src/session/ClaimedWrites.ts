/** What is written for one session: all of it is refused (`fenced`) once another node has claimed the session. */
import type { Effect } from "effect"
import type { Claim, Ledger, LedgerError, LedgerWrite } from "../ledger/Ledger.ts"

export interface ClaimedWrites {
  /** As `Ledger.write`. */
  readonly write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>
  /** As `Ledger.writeLater`. */
  readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
}

export const make = (ledger: Ledger["Service"], claim: Claim): ClaimedWrites => {
  const checked = { _tag: "ClaimChecked", claim } as const
  return {
    write: (entries) => ledger.write([checked, ...entries]),
    writeLater: (entries) => ledger.writeLater([checked, ...entries])
  }
}
