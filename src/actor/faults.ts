/** Faults of ours, told to a caller as what they are: it was not the caller's doing, and the log has the cause. */
import { Effect } from "effect"
import { Unavailable } from "../domain/Refusal.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

/** At the doors: a ledger that could not becomes a refusal, everything else stays what it is. */
export const unavailable = <A, E, R>(effect: Effect.Effect<A, E | LedgerError, R>) =>
  Effect.catchIf(effect, isLedgerError, ({ cause, operation }) => Effect.fail(new Unavailable({ operation, cause })))

const isLedgerError = <E>(error: E | LedgerError): error is LedgerError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "LedgerError"
