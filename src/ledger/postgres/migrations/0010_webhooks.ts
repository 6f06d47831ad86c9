/**
 * Webhooks of apps, and what is owed to each. Neither refers to the other, or to sessions: an event that is owed must not make a
 * session's commit fail because its webhook was removed meanwhile, and outlives its session.
 */
export default [
  `CREATE TABLE webhooks (
    id text COLLATE "C" PRIMARY KEY,
    app text COLLATE "C" NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    events text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    disabled_at bigint
  )`,
  `CREATE TABLE webhook_deliveries (
    webhook text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    session text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    due_at bigint,
    error text COLLATE "C",
    PRIMARY KEY (webhook, event)
  )`,
  "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, due_at)"
]
