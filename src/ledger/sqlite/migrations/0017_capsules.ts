/**
 * Copies of agents' own conversations, by which they go on with them on another node: `capsules` says what of the file is
 * there, `capsule_parts` has it in pieces. Of a turn, how much of the conversation its agent had on such a node.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  `CREATE TABLE capsules (
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    thread TEXT NOT NULL,
    turn INTEGER NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    hash TEXT NOT NULL,
    series INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX capsules_by_thread ON capsules (thread)",
  `CREATE TABLE capsule_parts (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    series INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (session, series, nth)
  ) STRICT`,
  "ALTER TABLE turns ADD COLUMN context_as_of INTEGER",
  "ALTER TABLE turns ADD COLUMN workdir_lost INTEGER NOT NULL DEFAULT 0"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
