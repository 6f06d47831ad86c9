/** The kinds of PostgreSQL's errors, by their SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { causesOf } from "../../domain/causes.ts"
import { LedgerError } from "../LedgerError.ts"
import type { LedgerErrorKind } from "../LedgerError.ts"
import { NoRow } from "../sql/Database.ts"

/** What the function `must` of the schema raises: a statement that had to find a row found none. */
export const unmetState = "TR001"
/** The same of `must_own`: the row is another node's. */
export const fencedState = "TR002"

/** Whole codes, or the first two characters of a class; whole ones go first. */
const kinds: ReadonlyMap<string, LedgerErrorKind> = new Map([
  [unmetState, "unmet"],
  [fencedState, "fenced"],
  ["53100", "full"], // disk_full
  ["57P01", "unreachable"], // admin_shutdown
  ["57P02", "unreachable"], // crash_shutdown
  ["57P03", "unreachable"], // cannot_connect_now
  ["25006", "unreachable"], // read_only_sql_transaction: a standby, which a failover makes a primary
  ["40001", "busy"], // serialization_failure
  ["40P01", "busy"], // deadlock_detected
  ["55P03", "busy"], // lock_not_available
  ["57014", "busy"], // query_canceled, by a time limit
  ["P0001", "constraint"], // raised by the schema's triggers
  ["08", "unreachable"],
  ["58", "unreachable"], // system_error: I/O
  ["53", "busy"], // insufficient_resources: connections, memory
  ["23", "constraint"],
  ["XX", "damaged"]
])

/** The ledger's error of an operation that failed; `operation` completes "could not …". */
export const failedTo =
  (operation: string) =>
  (cause: unknown): LedgerError =>
    cause instanceof LedgerError ? cause : new LedgerError({ operation, cause, kind: kindOf(cause) })

export const kindOf = (cause: unknown): LedgerErrorKind => {
  if (cause instanceof NoRow) return cause.kind
  const state = stateOf(cause)
  if (state !== null) return kinds.get(state) ?? kinds.get(state.slice(0, 2)) ?? "refused"
  return isLostConnection(cause) ? "unreachable" : "refused"
}

/** What the server answered; `null`: the failure is not its. Codes of the system (`EPIPE`) look like states of its own. */
export const stateOf = (cause: unknown): string | null => {
  for (const error of causesOf(cause)) {
    if (
      error instanceof Error &&
      "code" in error &&
      !("syscall" in error) &&
      typeof error.code === "string" &&
      /^[0-9A-Z]{5}$/.test(error.code)
    ) {
      return error.code
    }
  }
  return null
}

const isLostConnection = (cause: unknown): boolean =>
  causesOf(cause).some(
    (error) => typeof error === "object" && error !== null && "_tag" in error && error._tag === "ConnectionError"
  )
