/**
 * How each session's first prompt begins, with what it was created with: a list names it without looking for its turns.
 *
 * The indexes of the last active sessions say which app each is of, so that an app's list is read without its other sessions'
 * rows, and in order. A step changes an entry of the first anyway.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE session_requests ADD COLUMN opening TEXT",
  `UPDATE session_requests SET opening = (
    SELECT substr(prompt, 1, 320) FROM turns WHERE session = session_requests.session AND idx = 1 AND kind = 'prompt')`,
  "DROP INDEX sessions_open_by_activity",
  "CREATE INDEX sessions_open_by_activity ON sessions (last_activity_at, id, app) WHERE closed_at IS NULL",
  "DROP INDEX sessions_by_close",
  "CREATE INDEX sessions_by_close ON sessions (closed_at, id, app) WHERE closed_at IS NOT NULL"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
