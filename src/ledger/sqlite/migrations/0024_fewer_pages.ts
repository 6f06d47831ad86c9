/**
 * Fewer pages a turn: each index that a commit changes is one page at least (decision 0045).
 *
 * An event without a turn is looked for by its number alone. A session at work is one that does not sleep, so one index has
 * both, in the order in which those at work are listed.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("DROP INDEX events_by_turn")
  yield* sql.unsafe("CREATE INDEX events_by_turn ON events (session, turn, seq) WHERE turn IS NOT NULL")
  yield* sql.unsafe("DROP INDEX sessions_busy")
  yield* sql.unsafe("DROP INDEX sessions_restless")
  yield* sql.unsafe(
    "CREATE INDEX sessions_restless ON sessions (created_at, id) WHERE closed_at IS NULL AND substate <> 'idle.asleep'"
  )
})
