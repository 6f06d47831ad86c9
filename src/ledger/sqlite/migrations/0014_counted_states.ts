/**
 * `session_counts` has the open and the closed sessions of each app, no longer those in each state: a turn changes the
 * state twice, and each change was an update of a row that all sessions of the app share. How many sessions are at work
 * is counted from the index that has only those (`sessions_busy`).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const kind = (row: "NEW" | "OLD") => `CASE WHEN ${row}.state = 'closed' THEN 'closed' ELSE 'open' END`

const addOne = `INSERT INTO session_counts (app, state, n) VALUES (NEW.app, ${kind("NEW")}, 1)
      ON CONFLICT (app, state) DO UPDATE SET n = session_counts.n + 1;`
const takeOne = `UPDATE session_counts SET n = n - 1 WHERE app = OLD.app AND state = ${kind("OLD")};`

const statements = [
  "DROP TRIGGER session_counted",
  "DROP TRIGGER session_recounted",
  "DROP TRIGGER session_uncounted",
  "DELETE FROM session_counts",
  `INSERT INTO session_counts (app, state, n)
    SELECT app, CASE WHEN state = 'closed' THEN 'closed' ELSE 'open' END AS kind, count(*) FROM sessions GROUP BY app, kind`,
  `CREATE TRIGGER session_counted AFTER INSERT ON sessions BEGIN ${addOne} END`,
  `CREATE TRIGGER session_recounted AFTER UPDATE OF state ON sessions
    WHEN (NEW.state = 'closed') <> (OLD.state = 'closed')
  BEGIN ${takeOne} ${addOne} END`,
  `CREATE TRIGGER session_uncounted AFTER DELETE ON sessions BEGIN ${takeOne} END`
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
