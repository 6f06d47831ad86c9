/**
 * What it takes to move sessions between nodes, also of different versions. Of a session, the name of the node that has its
 * work directory, and the version of the chart that its snapshot was written by. Of a node, whether it is to take no further
 * sessions, its load as it told it last, and the versions of the chart and of the schema that it knows; NULL: it is of a
 * version that tells none.
 *
 * `schema_use` has the oldest version of the schema whose programs can work on this one.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE sessions ADD COLUMN home TEXT",
  "ALTER TABLE sessions ADD COLUMN chart_version INTEGER NOT NULL DEFAULT 1",
  "ALTER TABLE nodes ADD COLUMN drain_asked INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE nodes ADD COLUMN load TEXT",
  "ALTER TABLE nodes ADD COLUMN chart_version INTEGER",
  "ALTER TABLE nodes ADD COLUMN schema_version INTEGER",
  `CREATE TABLE schema_use (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    usable_from INTEGER NOT NULL
  ) STRICT`,
  "INSERT INTO schema_use (id, usable_from) VALUES (1, 18)"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
