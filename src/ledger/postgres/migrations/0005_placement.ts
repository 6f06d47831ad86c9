/**
 * What it takes to move sessions between nodes, also of different versions. Of a session, the name of the node that has its
 * work directory, and the version of the chart that its snapshot was written by. Of a node, whether it is to take no further
 * sessions, its load as it told it last, and the versions of the chart and of the schema that it knows; NULL: it is of a
 * version that tells none.
 *
 * `schema_use` has the oldest version of the schema whose programs can work on this one.
 */
export default [
  `ALTER TABLE sessions ADD COLUMN home text COLLATE "C"`,
  "ALTER TABLE sessions ADD COLUMN chart_version bigint NOT NULL DEFAULT 1",
  // A node that drains lets go of what it owns.
  "CREATE INDEX sessions_by_owner ON sessions (owner) WHERE closed_at IS NULL",
  "ALTER TABLE nodes ADD COLUMN drain_asked bigint NOT NULL DEFAULT 0",
  "ALTER TABLE nodes ADD COLUMN load text",
  "ALTER TABLE nodes ADD COLUMN chart_version bigint",
  "ALTER TABLE nodes ADD COLUMN schema_version bigint",
  `CREATE TABLE schema_use (
    id bigint PRIMARY KEY CHECK (id = 1),
    usable_from bigint NOT NULL
  )`,
  "INSERT INTO schema_use (id, usable_from) VALUES (1, 5)"
]
