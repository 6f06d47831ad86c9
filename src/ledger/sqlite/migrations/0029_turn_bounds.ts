/**
 * Where a turn's events are, with the turn: the number before its first one, and once it has ended its last one's. An index of all
 * events by their turns had two entries a turn, each a page of its own (decision 0063).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE turns ADD COLUMN after_event INTEGER")
  yield* sql.unsafe("ALTER TABLE turns ADD COLUMN last_event INTEGER")
  yield* sql.unsafe(`UPDATE turns SET
    after_event = (SELECT min(seq) - 1 FROM events WHERE session = turns.session AND turn = idx),
    last_event = (SELECT max(coalesce(last, seq)) FROM events WHERE session = turns.session AND turn = idx)`)
  yield* sql.unsafe("DROP INDEX events_by_turn")
  yield* sql.unsafe("UPDATE schema_use SET usable_from = 29")
})
