/** The ledger's errors: for an operation that failed, and for a database that it does not work on. */
import { Schema } from "effect"
import { causesOf } from "../domain/causes.ts"

/** An operation failed. `operation` completes "could not …". The cause never contains what was to be written. */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  operation: Schema.String,
  cause: Schema.Defect(),
  /** The database can't be reached or takes no writes now, whatever was to be written: a later attempt may succeed. */
  away: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return `Troupe could not ${this.operation}: ${reasonOf(this.cause)}`
  }
}

/** The database can't be opened, or not by this Troupe. Nothing in it was changed. `remedy` says what to do. */
export class LedgerUnusable extends Schema.TaggedError<LedgerUnusable>()("LedgerUnusable", {
  /** The path or the address of the database. */
  location: Schema.String,
  problem: Schema.String,
  remedy: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `The ledger ${this.location} ${this.problem}. ${this.remedy}`
  }
}

/** The innermost message: the database's own words say more than its client's "Failed to execute statement". */
export const reasonOf = (cause: unknown): string => {
  const innermost = causesOf(cause).at(-1)
  return innermost instanceof Error ? innermost.message : String(innermost)
}
