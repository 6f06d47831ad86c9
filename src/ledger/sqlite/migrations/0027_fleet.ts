/**
 * Turns that failed, by when: what may need a person is found without looking at the others. No other turn is in the index. And
 * what is counted of the fleet (`tables/tallies.ts`).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    "CREATE INDEX turns_failed ON turns (ended_at, session, idx) WHERE status IN ('failed', 'timed_out')"
  )
  yield* sql.unsafe(`CREATE TABLE fleet_tallies (
    at INTEGER NOT NULL,
    run TEXT NOT NULL,
    app TEXT NOT NULL,
    agent TEXT NOT NULL,
    version TEXT NOT NULL,
    tally TEXT NOT NULL,
    PRIMARY KEY (at, run, app, agent, version)
  ) STRICT, WITHOUT ROWID`)
})
