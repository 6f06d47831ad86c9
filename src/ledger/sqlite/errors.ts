/** Which of SQLite's errors may pass by themselves, whatever was to be written. https://sqlite.org/rescode.html */
import { causesOf } from "../../domain/causes.ts"
import { LedgerError } from "../LedgerError.ts"

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

/** Primary result codes of a file that can't be written now. A damaged one (11, 26) is not among them: it does not pass. */
const away: ReadonlySet<number> = new Set([
  SQLITE_BUSY,
  SQLITE_LOCKED,
  7, // NOMEM
  8, // READONLY: the file system was mounted anew after an error
  10, // IOERR
  13, // FULL
  14, // CANTOPEN
  15 // PROTOCOL: a race for the lock of the WAL
])

/** The ledger's error of an operation that failed; `operation` completes "could not …". */
export const failedTo =
  (operation: string) =>
  (cause: unknown): LedgerError =>
    cause instanceof LedgerError ? cause : new LedgerError({ operation, cause, away: away.has(codeOf(cause)) })

export const isLocked = (cause: unknown): boolean => [SQLITE_BUSY, SQLITE_LOCKED].includes(codeOf(cause))

/** The primary result code, from the driver's error inside the client's; 0 where there is none. */
const codeOf = (cause: unknown): number => {
  for (const error of causesOf(cause)) {
    // The low byte: the others say more about the same.
    if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff
  }
  return 0
}
