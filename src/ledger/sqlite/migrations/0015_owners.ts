/**
 * Who writes for a session: the node that owns it, in the epoch of its last claim. `nodes` has those that work on the
 * ledger, `claims` each change of owner.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE sessions ADD COLUMN owner TEXT",
  "ALTER TABLE sessions ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE leases ADD COLUMN node TEXT",
  `CREATE TABLE nodes (
    token TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT,
    version TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    lease_until INTEGER,
    draining INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE claims (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    node TEXT NOT NULL,
    at INTEGER NOT NULL,
    after_step INTEGER NOT NULL,
    PRIMARY KEY (session, epoch)
  ) STRICT, WITHOUT ROWID`
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
