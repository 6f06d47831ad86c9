/** Why a database can't be opened, with what to do. */
import { LedgerError, LedgerUnusable, reasonOf } from "../LedgerError.ts"
import { kindOf, stateOf } from "./errors.ts"

/** The password is in none of its texts: neither the server nor the client repeats it. */
export const unusable = (location: string, cause: unknown): LedgerUnusable => {
  if (cause instanceof LedgerUnusable) return cause
  if (cause instanceof LedgerError && cause.kind === "busy") {
    return new LedgerUnusable({
      location,
      problem: "is held by another Troupe",
      remedy:
        "One Troupe works on a database at a time: stop that one, or give this one another by TROUPE_DATABASE_URL."
    })
  }
  const reason = reasonOf(cause)
  const state = stateOf(cause)
  return new LedgerUnusable({
    location,
    problem: `could not be opened (${reason})`,
    remedy:
      state === null || kindOf(cause) === "unreachable"
        ? "Check that the server runs, and that it can be reached from here."
        : "Check the user, the password and the database in TROUPE_DATABASE_URL, and that the user may create tables.",
    cause
  })
}
