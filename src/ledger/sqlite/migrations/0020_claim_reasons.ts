/** Of a change of owner, what had become of the owner before: only the commit that makes it can tell. NULL: not known. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE claims ADD COLUMN owner_before TEXT")
})
