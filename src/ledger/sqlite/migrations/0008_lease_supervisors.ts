/** Who opened a lease. A copy of a data dir has the leases of a Troupe that lives, and must not end its agents. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE leases ADD COLUMN supervisor_pid INTEGER")
  yield* sql.unsafe("ALTER TABLE leases ADD COLUMN supervisor_start_time TEXT")
  yield* sql.unsafe("ALTER TABLE leases ADD COLUMN pid_namespace TEXT")
})
