/** Turns failures of our own into `Unavailable` for the caller: it did nothing wrong, and the log has the cause. */
import { Effect } from "effect"
import { Unavailable } from "../domain/Refusal.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

/** For entry points of services: a `LedgerError` becomes `Unavailable`; every other error passes. */
export const unavailable = <A, E, R>(effect: Effect.Effect<A, E | LedgerError, R>) =>
  Effect.catchIf(effect, isLedgerError, ({ cause, operation }) => Effect.fail(new Unavailable({ operation, cause })))

const isLedgerError = <E>(error: E | LedgerError): error is LedgerError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "LedgerError"

/** The same for `LedgerError` and `ActorFailed`, where `operation` says what could not be done. */
export const cannot =
  (operation: string) =>
  <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.catchIf(
      effect,
      (error): error is Extract<E, { readonly _tag: "LedgerError" | "ActorFailed" }> =>
        error._tag === "LedgerError" || error._tag === "ActorFailed",
      (cause) => Effect.fail(new Unavailable({ operation, cause }))
    )
