/**
 * A row of a turn's events may have some of the session's among them, which nothing of the schema says. A program that does not
 * know it would find no events behind those, so none may work on this schema.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("UPDATE schema_use SET usable_from = 30")
})
