/**
 * Approvals: what an agent asked permission for, and who decided.
 *
 * The schema guarantees that an approval is settled once, and that only an answer permits anything. Approvals are deleted
 * with their session; the audit trail keeps who decided what.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const approvals = [
  `CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    tool_call_id TEXT,
    raw TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'answered', 'expired', 'withdrawn')),
    decision TEXT CHECK (decision IN ('once', 'session', 'deny')),
    decided_by TEXT,
    settled_at INTEGER,
    CHECK ((status = 'pending') = (settled_at IS NULL)),
    CHECK ((settled_at IS NULL) = (decision IS NULL) AND (settled_at IS NULL) = (decided_by IS NULL)),
    CHECK (status IN ('pending', 'answered') OR decision = 'deny')
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX approvals_by_session ON approvals (session, created_at, id)`,
  `CREATE INDEX approvals_pending ON approvals (session, created_at, id) WHERE status = 'pending'`
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of approvals) yield* sql.unsafe(statement)
})
