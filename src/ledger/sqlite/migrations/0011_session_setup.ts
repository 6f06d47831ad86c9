/** What sessions and turns may be created with besides their model: mode, effort, MCP servers, content that is no text. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE session_requests ADD COLUMN mode TEXT")
  yield* sql.unsafe("ALTER TABLE session_requests ADD COLUMN effort TEXT")
  yield* sql.unsafe("ALTER TABLE session_requests ADD COLUMN setup TEXT NOT NULL DEFAULT '{}'")
  yield* sql.unsafe("CREATE INDEX sessions_by_thread ON sessions (thread_id) WHERE thread_id IS NOT NULL")
  yield* sql.unsafe("ALTER TABLE turns ADD COLUMN content TEXT")
  yield* sql.unsafe("ALTER TABLE turns ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'")
  yield* sql.unsafe("ALTER TABLE approvals ADD COLUMN fields TEXT")
  yield* sql.unsafe("ALTER TABLE approvals ADD COLUMN answers TEXT")
})
