/**
 * Several events in one row: those behind the first, as pieces of its text (`ledger/eventPieces.ts`), and the number of the last.
 * NULL: the row has one. A program that does not know the columns would read the first alone, so none may work on this schema.
 */
export default [
  `ALTER TABLE events ADD COLUMN more text COLLATE "C"`,
  "ALTER TABLE events ADD COLUMN last bigint",
  // Its own number: a migration is noted when its statements are done.
  "UPDATE schema_use SET usable_from = (SELECT max(migration_id) + 1 FROM troupe_migrations)"
]
