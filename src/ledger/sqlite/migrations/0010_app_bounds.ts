/** What the operator lets an app ask for, as JSON. NULL, as of all apps that are there already: anything. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE apps ADD COLUMN bounds TEXT")
})
