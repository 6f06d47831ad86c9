/** The ledger's errors: for an operation that failed, and for a database that it does not work on. */
import { Schema } from "effect"
import { causesOf } from "../domain/causes.ts"

/**
 * Why an operation failed, in words that mean the same on every database. Each driver says which of its errors are which.
 *
 * - `unreachable`: the database can't be reached, read or written now.
 * - `busy`: others hold what is needed, or the database is at a limit.
 * - `full`: its disk is.
 * - `constraint`: a rule of the schema refuses what was to be written.
 * - `unmet`: what was to be changed is not there, or not as the entry needs it.
 * - `damaged`: what is stored can't be read.
 * - `taken`: another Troupe works on the database now.
 * - `fenced`: the session belongs to another node now, which alone may write for it.
 * - `refused`: anything else, such as a cursor of another ledger, or a ledger that is closed.
 */
export const ledgerErrorKinds = [
  "unreachable",
  "busy",
  "full",
  "constraint",
  "unmet",
  "damaged",
  "taken",
  "fenced",
  "refused"
] as const

export type LedgerErrorKind = (typeof ledgerErrorKinds)[number]

/** Whatever was to be written: a later attempt may succeed. */
const passing: ReadonlySet<LedgerErrorKind> = new Set(["unreachable", "busy", "full"])

/** An operation failed. `operation` completes "could not …". The cause never contains what was to be written. */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  operation: Schema.String,
  cause: Schema.Defect(),
  kind: Schema.Literals(ledgerErrorKinds)
}) {
  /** The database can't be reached or takes no writes now. */
  get away(): boolean {
    return passing.has(this.kind)
  }
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

/** Of what no client should throw, and some do: an object without any method. */
const wordsOf = (thrown: unknown): string => {
  try {
    return String(thrown)
  } catch {
    return "an error without words"
  }
}

/**
 * The innermost message, in one line: the database's own words say more than its client's "Failed to execute statement",
 * and some of them quote SQL of many lines.
 */
export const reasonOf = (cause: unknown): string => {
  const innermost = causesOf(cause).at(-1)
  const words = innermost instanceof Error ? innermost.message : wordsOf(innermost)
  return words.replace(/\s*\n\s*/g, " ")
}
