/** Faults of ours, told to a caller as what they are: it was not the caller's doing, and the log has the cause. */
import { Effect } from "effect"
import { Unavailable } from "../domain/Refusal.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

/** At the doors: a ledger that could not becomes a refusal, everything else stays what it is. */
export const unavailable = <A, E, R>(effect: Effect.Effect<A, E | LedgerError, R>) =>
  Effect.catchIf(effect, isLedgerError, ({ cause, operation }) => Effect.fail(new Unavailable({ operation, cause })))

const isLedgerError = <E>(error: E | LedgerError): error is LedgerError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "LedgerError"

/** The same, with the caller's own words for what could not be done; an actor that died counts too. */
export const cannot =
  (operation: string) =>
  <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.catchIf(
      effect,
      (error): error is Extract<E, { readonly _tag: "LedgerError" | "ActorFailed" }> =>
        error._tag === "LedgerError" || error._tag === "ActorFailed",
      (cause) => Effect.fail(new Unavailable({ operation, cause }))
    )
