/** How each session's first prompt begins, with what it was created with: a list names it without looking for its turns. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE session_requests ADD COLUMN opening TEXT")
  yield* sql.unsafe(`UPDATE session_requests SET opening = (
    SELECT substr(prompt, 1, 320) FROM turns WHERE session = session_requests.session AND idx = 1 AND kind = 'prompt')`)
})
