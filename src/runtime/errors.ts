/** Turns failures of our own into `Unavailable` for the caller: it did nothing wrong, and the log has the cause. */
import type { Cause } from "effect"
import { Data, Effect } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { LedgerError } from "../ledger/Ledger.ts"
import type { LedgerAway } from "../ledger/Ledger.ts"

/** A later version of Troupe has had the session, and this one does not know all of its chart. What is stored is intact. */
export class NewerSession extends Data.TaggedError("NewerSession")<{ readonly id: SessionId }> {
  /** What it is for whoever asked (`passingOf`). */
  readonly passing = "session_newer"
  override get message() {
    return `A later version of Troupe has had session ${this.id}. Start that one again, or ask it.`
  }
}

export const isNewer = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => reason._tag === "Fail" && reason.error instanceof NewerSession)

/** For entry points of services: a `LedgerError` becomes `Unavailable`; every other error passes. */
export const unavailable = <A, E, R>(effect: Effect.Effect<A, E | LedgerError, R>) =>
  Effect.catchIf(effect, isLedgerError, (cause) => Effect.fail(new Unavailable({ operation: cause.operation, cause })))

const isLedgerError = <E>(error: E | LedgerError): error is LedgerError => error instanceof LedgerError

/** The failure of an operation that was not even tried; `operation` completes "could not …". */
export const ledgerAway = ({ kind, reason: cause }: LedgerAway, operation: string): LedgerError =>
  new LedgerError({ operation, cause, kind })

/** Something failed or died because the ledger is away. */
export const isLedgerAway = (cause: Cause.Cause<unknown>): boolean => isOfLedger(cause, ({ away }) => away)

/** Something was not written because the session belongs to another node now. */
export const isFenced = (cause: Cause.Cause<unknown>): boolean => isOfLedger(cause, ({ kind }) => kind === "fenced")

const isOfLedger = (cause: Cause.Cause<unknown>, is: (error: LedgerError) => boolean): boolean =>
  cause.reasons.some((reason) => {
    const error = reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : undefined
    return error instanceof LedgerError && is(error)
  })

/** The same for `LedgerError` and `SessionFailed`, where `operation` says what could not be done. */
export const cannot =
  (operation: string) =>
  <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.catchIf(
      effect,
      (error): error is Extract<E, { readonly _tag: "LedgerError" | "SessionFailed" }> =>
        error._tag === "LedgerError" || error._tag === "SessionFailed",
      (cause) => Effect.fail(new Unavailable({ operation, cause }))
    )
