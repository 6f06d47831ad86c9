/**
 * What nodes do beside each other: who runs a review, on whose disk an uploaded file is, and an index of the sessions that
 * need an actor, so that those of dead nodes are found without a look at all others.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE reviews ADD COLUMN owner TEXT",
  "ALTER TABLE files ADD COLUMN node TEXT",
  "CREATE INDEX sessions_restless ON sessions (id) WHERE closed_at IS NULL AND substate <> 'idle.asleep'"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
