/** Reads the ledger of a data dir as it is, beside whoever has it open. */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

export type Row = Record<string, unknown>

export const rowsOf = (directory: string, text: string): ReadonlyArray<Row> => {
  const ledger = new DatabaseSync(join(directory, ".troupe", "troupe.sqlite"), { readOnly: true })
  try {
    return ledger.prepare(text).all()
  } finally {
    ledger.close()
  }
}

/** What must hold of every ledger whose Troupe is at rest: no open turn, no gap in the events, no lease, a whole file. */
export const problemsIn = (directory: string): ReadonlyArray<string> => {
  const rows = (text: string) => rowsOf(directory, text)
  return [
    ...rows("PRAGMA integrity_check").flatMap(({ integrity_check: found }) => (found === "ok" ? [] : [String(found)])),
    ...rows("PRAGMA foreign_key_check").map((row) => `foreign key: ${JSON.stringify(row)}`),
    ...rows("SELECT session, idx FROM turns WHERE status IN ('queued', 'running')").map(
      ({ idx, session }) => `turn ${String(idx)} of ${String(session)} has no outcome`
    ),
    ...rows(
      "SELECT session FROM events GROUP BY session HAVING max(coalesce(last, seq)) <> sum(coalesce(last, seq) - seq + 1)"
    ).map(({ session }) => `the events of ${String(session)} have a gap`),
    ...rows("SELECT id FROM leases").map(({ id }) => `lease ${String(id)} is open`)
  ]
}
