/** How each session's last turn ended, with the session: a list shows it, and a failure is not forgotten with its process. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE sessions ADD COLUMN last_outcome TEXT")
  yield* sql.unsafe(`UPDATE sessions SET last_outcome = (
    SELECT json_object('turn', idx, 'status', status, 'at', ended_at, 'failure', CASE
        WHEN json_valid(failure) AND json_type(failure) = 'object' THEN json_object(
          'class', json_extract(failure, '$.class'), 'message', substr(json_extract(failure, '$.message'), 1, 400))
        END)
      FROM turns WHERE session = sessions.id AND ended_at IS NOT NULL ORDER BY idx DESC LIMIT 1)`)
})
