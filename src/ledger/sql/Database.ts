/** What the ledger needs of a database: to read rows, and to commit a list of statements. A driver opens it. */
import type { Effect } from "effect"
import { LedgerError } from "../LedgerError.ts"
import type { Dialect } from "./Dialect.ts"

export type SqlValue = string | number | null

/** One statement of a commit. */
export interface Write {
  readonly text: string
  readonly params: ReadonlyArray<SqlValue>
  /** For a statement that returns the rows it changed: the reason it fails with where it returns none. */
  readonly failIfNoRow?: string
  /** Finding no row means that a session belongs to another node: the failure's kind is `fenced`, not `unmet`. */
  readonly isFence?: true
  /** What it is for, completing "could not …". Absent: what its commit is for. */
  readonly operation?: string
}

export interface Database {
  readonly dialect: Dialect
  /** All rows that the query returns, decoded. `operation` completes the error message "could not …". */
  readonly all: <Row, A>(
    operation: string,
    text: string,
    params: ReadonlyArray<SqlValue>,
    decode: (row: Row) => A
  ) => Effect.Effect<ReadonlyArray<A>, LedgerError>
  /**
   * Runs the statements in their order in one transaction; where any fails, none is written. A failure is named by the
   * operation of its statement, or else by `operation`. Returns how many rows the statements returned in all.
   */
  readonly commit: (operation: string, statements: ReadonlyArray<Write>) => Effect.Effect<number, LedgerError>
  /** Succeeds when no commit whose answer was lost can still take place: what is stored then is known. */
  readonly settled: Effect.Effect<void, LedgerError>
}

/** A statement that had to find a row found none. */
export class NoRow extends Error {
  override readonly name = "NoRow"
  readonly kind: "unmet" | "fenced"

  constructor({ failIfNoRow, isFence }: Write) {
    super(failIfNoRow)
    this.kind = isFence === true ? "fenced" : "unmet"
  }
}

/** The ledger's error where a row was read and is not what was written. `operation` completes "could not …". */
export const unreadable =
  (operation: string) =>
  (cause: unknown): LedgerError =>
    new LedgerError({ operation, cause, kind: "damaged" })
