/**
 * What decides that a node is dead. `dead`: another one has declared it so since its last renewal. `asks` (JSON): the nodes
 * that it asks before its agents go on beyond its lease; `asks_until`: a node that it does not ask leaves it alone until then;
 * NULL: until its lease is over. `place`: the data dir that it holds.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE nodes ADD COLUMN dead INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE nodes ADD COLUMN asks TEXT",
  "ALTER TABLE nodes ADD COLUMN asks_until INTEGER",
  "ALTER TABLE nodes ADD COLUMN place TEXT"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
