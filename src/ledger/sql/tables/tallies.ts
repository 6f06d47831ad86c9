/** What was counted of the fleet, in steps of five minutes: rows that nobody but the overview reads, and only for a day. */
import type { AppName } from "../../../domain/Ids.ts"
import { emptyTally } from "../../../domain/Tally.ts"
import type { Tally, TallyRecord } from "../../../domain/Tally.ts"
import type { Database, Write } from "../Database.ts"
import { columnsOf, insertInto, paramsOf, plain, readableJsonField, recordOf } from "./columns.ts"
import type { Fields } from "./columns.ts"

const fields: Fields<TallyRecord> = {
  at: plain("at"),
  run: plain("run"),
  app: plain("app"),
  agent: plain("agent"),
  version: plain("version"),
  tally: readableJsonField<Tally>("tally", () => emptyTally)
}
const columns = columnsOf(fields)

export const tallied = (record: TallyRecord): Write => ({
  text: `${insertInto("fleet_tallies", columns)} ON CONFLICT (at, run, app, agent, version) DO UPDATE SET tally = excluded.tally`,
  params: paramsOf(fields, record)
})

export const forgotten = (before: number): Write => ({
  text: "DELETE FROM fleet_tallies WHERE at < ?",
  params: [before]
})

export const reads = (db: Database) => ({
  tallies: (app: AppName | null, since: number, limit: number) =>
    db.all(
      "read what was counted",
      `SELECT ${columns.join(", ")} FROM fleet_tallies WHERE at >= ?${app === null ? "" : " AND app = ?"}
        ORDER BY at DESC LIMIT ?`,
      app === null ? [since, limit] : [since, app, limit],
      recordOf(fields)
    )
})
