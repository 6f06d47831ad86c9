/**
 * The first schema of the ledger. It guarantees what the rest of Troupe relies on: a turn has one outcome, an event and a
 * step have one number, a session has one open lease, and deleting a session deletes all that belongs to it. Each query
 * has an index. Indexes that a turn would change at every commit are partial: a commit costs by the pages it dirties.
 *
 * Times are milliseconds since 1970, booleans 0 or 1, structured values JSON text.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const sessions = [
  `CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    agent TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('idle', 'turning', 'retiring', 'closed')),
    substate TEXT NOT NULL,
    turn_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    last_turn_at INTEGER,
    closed_at INTEGER,
    thread_id TEXT,
    restarts INTEGER NOT NULL,
    usage TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
  ) STRICT`,
  // The creation request: it may be large and never changes, so it is kept out of the row that every step rewrites.
  `CREATE TABLE session_requests (
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    cwd TEXT NOT NULL,
    owns_cwd INTEGER NOT NULL,
    model TEXT,
    system_prompt TEXT,
    permissions TEXT NOT NULL,
    meta TEXT NOT NULL
  ) STRICT`,
  `CREATE INDEX sessions_by_age ON sessions (created_at, id)`,
  `CREATE INDEX sessions_by_app ON sessions (app, created_at, id)`,
  `CREATE INDEX sessions_open_by_age ON sessions (created_at, id) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_open_by_app ON sessions (app, created_at, id) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_open_by_activity ON sessions (last_activity_at) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_busy ON sessions (created_at, id) WHERE state IN ('turning', 'retiring')`,
  `CREATE INDEX sessions_by_close ON sessions (closed_at) WHERE closed_at IS NOT NULL`,

  // Triggers keep the number of sessions, so that nobody has to count them.
  `CREATE TABLE session_counts (
    app TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (app, state)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER session_counted AFTER INSERT ON sessions BEGIN
    INSERT INTO session_counts (app, state, n) VALUES (NEW.app, NEW.state, 1)
      ON CONFLICT (app, state) DO UPDATE SET n = n + 1;
  END`,
  `CREATE TRIGGER session_recounted AFTER UPDATE OF state ON sessions WHEN NEW.state <> OLD.state BEGIN
    UPDATE session_counts SET n = n - 1 WHERE app = OLD.app AND state = OLD.state;
    INSERT INTO session_counts (app, state, n) VALUES (NEW.app, NEW.state, 1)
      ON CONFLICT (app, state) DO UPDATE SET n = n + 1;
  END`,
  `CREATE TRIGGER session_uncounted AFTER DELETE ON sessions BEGIN
    UPDATE session_counts SET n = n - 1 WHERE app = OLD.app AND state = OLD.state;
  END`
]

const steps = [
  `CREATE TABLE steps (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    commands TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID`,
  // The outbox. A command that is done is deleted here; its name stays in its step.
  `CREATE TABLE owed (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    type TEXT NOT NULL,
    params TEXT NOT NULL,
    once INTEGER NOT NULL,
    attempted INTEGER NOT NULL,
    PRIMARY KEY (session, step, nth)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE timers (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    timer TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (session, timer)
  ) STRICT, WITHOUT ROWID`
]

const turns = [
  `CREATE TABLE turns (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL CHECK (idx > 0),
    kind TEXT NOT NULL CHECK (kind IN ('prompt', 'compact')),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'interrupted', 'failed', 'timed_out')),
    submitted_at INTEGER NOT NULL,
    ended_at INTEGER,
    stop_reason TEXT,
    interrupted INTEGER NOT NULL,
    tool_iterations INTEGER NOT NULL,
    thread_id TEXT,
    agent_turn_id TEXT,
    context_lost INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    failure TEXT,
    prompt TEXT NOT NULL,
    PRIMARY KEY (session, idx),
    CHECK ((status IN ('queued', 'running')) = (ended_at IS NULL))
  ) STRICT`,
  `CREATE INDEX turns_open ON turns (session, idx) WHERE ended_at IS NULL`,
  `CREATE TRIGGER turn_has_one_outcome BEFORE UPDATE OF status, stop_reason, ended_at ON turns
    WHEN OLD.ended_at IS NOT NULL
      AND (NEW.status, NEW.stop_reason, NEW.ended_at) IS NOT (OLD.status, OLD.stop_reason, OLD.ended_at)
  BEGIN
    SELECT RAISE(ABORT, 'the turn has its outcome already');
  END`,

  // Usage outlives the sessions that used it. A turn counts on the UTC day on which it ended.
  `CREATE TABLE usage_days (
    day INTEGER NOT NULL,
    app TEXT NOT NULL,
    agent TEXT NOT NULL,
    turns INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    PRIMARY KEY (day, app, agent)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER turn_ended_at_once AFTER INSERT ON turns WHEN NEW.ended_at IS NOT NULL BEGIN
    ${addToDay("NEW.ended_at", "1", (column) => `NEW.${column}`)};
  END`,
  `CREATE TRIGGER turn_ended AFTER UPDATE OF ended_at ON turns
    WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
  BEGIN
    ${addToDay("NEW.ended_at", "1", (column) => `NEW.${column}`)};
  END`,
  // Some agents report the tokens only after the turn's end.
  `CREATE TRIGGER turn_usage_corrected AFTER UPDATE OF total_tokens ON turns
    WHEN OLD.ended_at IS NOT NULL
  BEGIN
    ${addToDay("NEW.ended_at", "0", (column) => `NEW.${column} - OLD.${column}`)};
  END`
]

const events = [
  `CREATE TABLE events (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    turn INTEGER,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX events_by_turn ON events (session, turn, seq)`
]

const leases = [
  // A lease stands for a process. It must outlive a session that is deleted while its process still runs.
  `CREATE TABLE leases (
    id TEXT PRIMARY KEY,
    session TEXT UNIQUE REFERENCES sessions (id) ON DELETE SET NULL,
    generation INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    pid INTEGER,
    start_time TEXT
  ) STRICT, WITHOUT ROWID`
]

const files = [
  `CREATE TABLE files (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX files_by_age ON files (created_at)`
]

const apps = [
  `CREATE TABLE apps (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    token_at INTEGER NOT NULL,
    token_hash TEXT NOT NULL UNIQUE
  ) STRICT, WITHOUT ROWID`
]

const receipts = [
  `CREATE TABLE receipts (
    app TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (app, key)
  ) STRICT`,
  `CREATE INDEX receipts_by_age ON receipts (created_at)`
]

const audit = [
  `CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    session TEXT,
    app TEXT,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT`,
  `CREATE INDEX audit_by_session ON audit (session, id)`
]

const pings = [`CREATE TABLE pings (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL) STRICT`]

function addToDay(endedAt: string, turns: string, value: (column: string) => string): string {
  const tokens = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens"]
  return `INSERT INTO usage_days (day, app, agent, turns, ${tokens.join(", ")})
      SELECT ${endedAt} / 86400000, app, agent, ${turns}, ${tokens.map(value).join(", ")}
      FROM sessions WHERE id = NEW.session
      ON CONFLICT (day, app, agent) DO UPDATE SET turns = turns + excluded.turns,
        ${tokens.map((column) => `${column} = ${column} + excluded.${column}`).join(", ")}`
}

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [sessions, steps, turns, events, leases, files, apps, receipts, audit, pings].flat()) {
    yield* sql.unsafe(statement)
  }
})
