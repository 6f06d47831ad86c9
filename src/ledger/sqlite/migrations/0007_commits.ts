/**
 * The number of each writer's last commit, stored with it. Where the answer to a COMMIT is lost, this number says whether
 * the commit took place, and it is not repeated if it did.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    `CREATE TABLE commits (writer TEXT PRIMARY KEY, nth INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID`
  )
})
