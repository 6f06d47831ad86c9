/**
 * The audit trail of buried sessions, found by when they were buried. Partial: only a burial touches it, for a commit
 * costs by the page it dirties.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`CREATE INDEX audit_burials ON audit (at, session) WHERE action = 'sweep_delete'`)
})
