/** Of the timers of a session the ledger has those that outlive its actor. The others are known where it runs. */
import type { ArmedTimer, SessionSummary } from "../../ledger/Ledger.ts"
import type { Looked } from "../../supervision/Looked.ts"

/** `null` where the look saw the session in another state than the one that is shown, or saw no actor. */
const timersIn = (looked: Looked | undefined, substate: string) =>
  looked?._tag === "Seen" && looked.actor?.state === substate ? (looked.actor.timers ?? null) : null

export const unstoredIn = (looked: Looked | undefined, substate: string): ReadonlyArray<Omit<ArmedTimer, "session">> =>
  timersIn(looked, substate)?.unstored ?? []

/** With the timer that is due first of all. */
export const withActorsNext = (summary: SessionSummary, looked: Looked | undefined): SessionSummary => {
  const timers = timersIn(looked, summary.substate)
  return timers === null ? summary : { ...summary, next: timers.next }
}
