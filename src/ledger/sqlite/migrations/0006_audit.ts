/**
 * An index that finds the audit trails of deleted sessions by when they were deleted. It is partial, because a commit
 * costs by the pages it dirties: only a deletion changes it.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`CREATE INDEX audit_burials ON audit (at, session) WHERE action = 'sweep_delete'`)
})
