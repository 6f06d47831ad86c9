/**
 * The agent's own line behind a step, for whoever asks why it was taken.
 *
 * In the step's row and last in it: a turn's end dirties no page of another table for it, and a reader of steps that
 * does not ask for it does not read it.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE steps ADD COLUMN wire TEXT")
})
