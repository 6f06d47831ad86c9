/** What the ledger fails with: one error for a thing it could not do, one for a database it will not work on. */
import { Schema } from "effect"

/** The ledger could not do it. `operation` completes "could not …"; the cause never holds what was to be written. */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `Troupe could not ${this.operation}: ${reasonOf(this.cause)}`
  }
}

/** The ledger's database can't be opened, or not by this Troupe. Nothing was changed in it. `remedy` says what to do. */
export class LedgerUnusable extends Schema.TaggedError<LedgerUnusable>()("LedgerUnusable", {
  /** The file or the address of the database. */
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
  let innermost = cause
  for (let depth = 0; depth < 8; depth++) {
    const next = innermost instanceof Error ? (innermost.cause ?? reasonField(innermost)) : undefined
    if (next === undefined) break
    innermost = next
  }
  return innermost instanceof Error ? innermost.message : String(innermost)
}

const reasonField = (error: object): unknown => ("reason" in error ? error.reason : undefined)
