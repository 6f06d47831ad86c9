/** What has gone wrong in the background of a session's actor: it ends the actor, like any other defect. */
import type { Cause } from "effect"
import type { LedgerError } from "../ledger/Ledger.ts"

export class Fault {
  readonly #onFault: () => void
  #cause: Cause.Cause<LedgerError> | null = null

  /** `onFault`: the actor is to look. */
  constructor(onFault: () => void) {
    this.#onFault = onFault
  }

  /** The first that went wrong; `null`: nothing has. */
  get cause(): Cause.Cause<LedgerError> | null {
    return this.#cause
  }

  fail(cause: Cause.Cause<LedgerError>): void {
    if (this.#cause !== null) return
    this.#cause = cause
    this.#onFault()
  }
}
