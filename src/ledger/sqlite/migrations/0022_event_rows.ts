/**
 * Several events in one row: those behind the first, as pieces of its text (`ledger/eventPieces.ts`), and the number of the last.
 * NULL: the row has one. A program that does not know the columns would read the first alone, so none may work on this schema.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE events ADD COLUMN more TEXT")
  yield* sql.unsafe("ALTER TABLE events ADD COLUMN last INTEGER")
  yield* sql.unsafe("UPDATE schema_use SET usable_from = 22")
})
