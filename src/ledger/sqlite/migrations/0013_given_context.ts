/** Of a turn, the earlier conversation that its agent is given in front of the prompt. NULL, as of all that are there: none. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE turns ADD COLUMN given_context TEXT")
})
