/**
 * The rows of events and of steps in the order in which they are written, and found by an index of their keys (decision 0049).
 *
 * Ordered by session, a commit put them between those of two other sessions, where a row of some hundred bytes moves the rows
 * of two or three pages. At the end of a table rows fill its last page, and an entry of an index is a tenth of a row.
 *
 * A session with a turn that has no outcome does not sleep, so that is found by the index of those that don't.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const events = [
  "DROP INDEX events_by_turn",
  "ALTER TABLE events RENAME TO events_by_session",
  `CREATE TABLE events (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    turn INTEGER,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    more TEXT,
    last INTEGER,
    PRIMARY KEY (session, seq)
  ) STRICT`,
  `INSERT INTO events (session, seq, turn, at, message, more, last)
    SELECT session, seq, turn, at, message, more, last FROM events_by_session ORDER BY session, seq`,
  "DROP TABLE events_by_session",
  "CREATE INDEX events_by_turn ON events (session, turn, seq) WHERE turn IS NOT NULL"
]

const steps = [
  "ALTER TABLE steps RENAME TO steps_by_session",
  `CREATE TABLE steps (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    commands TEXT NOT NULL,
    wire TEXT,
    PRIMARY KEY (session, seq)
  ) STRICT`,
  `INSERT INTO steps (session, seq, at, event, from_state, to_state, commands, wire)
    SELECT session, seq, at, event, from_state, to_state, commands, wire FROM steps_by_session ORDER BY session, seq`,
  "DROP TABLE steps_by_session"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [...events, ...steps, "DROP INDEX turns_open"]) yield* sql.unsafe(statement)
})
