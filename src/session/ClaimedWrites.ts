/** What is written for one session: all of it is refused (`fenced`) once another node has claimed the session. */
import type { Effect } from "effect"
import type { Claim, Ledger, LedgerError, LedgerWrite } from "../ledger/Ledger.ts"

export interface ClaimedWrites {
  /** As `Ledger.write`. */
  readonly write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>
  /** As `Ledger.writeLater`. */
  readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
}

class WritesOf implements ClaimedWrites {
  readonly #ledger: Ledger["Service"]
  readonly #checked: LedgerWrite

  constructor(ledger: Ledger["Service"], claim: Claim) {
    this.#ledger = ledger
    this.#checked = { _tag: "ClaimChecked", claim }
  }

  write(entries: ReadonlyArray<LedgerWrite>): Effect.Effect<void, LedgerError> {
    return this.#ledger.write([this.#checked, ...entries])
  }

  writeLater(entries: ReadonlyArray<LedgerWrite>): Effect.Effect<void> {
    return this.#ledger.writeLater([this.#checked, ...entries])
  }
}

export const make = (ledger: Ledger["Service"], claim: Claim): ClaimedWrites => new WritesOf(ledger, claim)
