/**
 * What decides that a node is dead. `dead`: another one has declared it so since its last renewal. `asks` (JSON): the nodes
 * that it asks before its agents go on beyond its lease; `asks_until`: a node that it does not ask leaves it alone until then;
 * NULL: until its lease is over. `place`: the data dir that it holds.
 *
 * A program of an earlier version would claim sessions of a node whose lease is over and whose agents go on.
 */
export default [
  "ALTER TABLE nodes ADD COLUMN dead bigint NOT NULL DEFAULT 0",
  "ALTER TABLE nodes ADD COLUMN asks text",
  "ALTER TABLE nodes ADD COLUMN asks_until bigint",
  "ALTER TABLE nodes ADD COLUMN place text",
  "UPDATE schema_use SET usable_from = 8"
]
