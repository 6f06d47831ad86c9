/**
 * Webhooks of apps, and what is owed to each. Neither refers to the other, or to sessions: an event that is owed must not make a
 * session's commit fail because its webhook was removed meanwhile, and outlives its session.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  `CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE webhook_deliveries (
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    session TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    error TEXT,
    PRIMARY KEY (webhook, event)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, due_at)"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
