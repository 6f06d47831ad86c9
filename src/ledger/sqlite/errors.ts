/** The kinds of SQLite's errors. https://sqlite.org/rescode.html */
import { causesOf } from "../../domain/causes.ts"
import { LedgerError } from "../LedgerError.ts"
import type { LedgerErrorKind } from "../LedgerError.ts"
import { NoRow } from "../sql/Database.ts"

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

/** By the primary result code. */
const kinds: ReadonlyMap<number, LedgerErrorKind> = new Map([
  [SQLITE_BUSY, "busy"],
  [SQLITE_LOCKED, "busy"],
  [7, "busy"], // NOMEM
  [8, "unreachable"], // READONLY: the file system was mounted anew after an error
  [10, "unreachable"], // IOERR
  [11, "damaged"], // CORRUPT
  [13, "full"], // FULL
  [14, "unreachable"], // CANTOPEN
  [15, "busy"], // PROTOCOL: a race for the lock of the WAL
  [19, "constraint"], // CONSTRAINT, a trigger's RAISE too
  [26, "damaged"] // NOTADB
])

/** The ledger's error of an operation that failed; `operation` completes "could not …". */
export const failedTo =
  (operation: string) =>
  (cause: unknown): LedgerError =>
    cause instanceof LedgerError ? cause : new LedgerError({ operation, cause, kind: kindOf(cause) })

const kindOf = (cause: unknown): LedgerErrorKind =>
  cause instanceof NoRow ? cause.kind : (kinds.get(codeOf(cause)) ?? "refused")

export const isLocked = (cause: unknown): boolean => [SQLITE_BUSY, SQLITE_LOCKED].includes(codeOf(cause))

/** The primary result code, from the driver's error inside the client's; 0 where there is none. */
const codeOf = (cause: unknown): number => {
  for (const error of causesOf(cause)) {
    // The low byte: the others say more about the same.
    if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff
  }
  return 0
}
