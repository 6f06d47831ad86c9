/**
 * The wire line that caused a step, for those who look into why the step was taken.
 *
 * It is the last column of the step's row: so the end of a turn dirties no page of another table, and a read of steps
 * without it does not load it.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE steps ADD COLUMN wire TEXT")
})
