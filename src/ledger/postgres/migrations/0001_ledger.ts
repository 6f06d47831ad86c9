/**
 * The schema of the ledger in PostgreSQL: the same tables, rules and indexes as in SQLite after all of its migrations.
 *
 * Texts are compared by their bytes, so that pages do not depend on the server's language. The counters that sessions
 * share have a row for each writer (`stripe`), so that no two transactions change the same one; their sum is the number.
 */
const tokens = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens"]

const text = `text COLLATE "C"`

/** The number of the writer whose transaction it is. */
const stripe = "coalesce(nullif(current_setting('troupe.stripe', true), ''), '0')::bigint"

const functions = [
  // The member of JSON text by its path, and NULL where it is damaged.
  `CREATE FUNCTION json_member(document text, path text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
  BEGIN
    RETURN document::json #>> path;
  EXCEPTION WHEN others THEN
    RETURN NULL;
  END $$`,
  // A commit is sent whole, so that the server itself has to end it where a statement changed no row.
  `CREATE FUNCTION must(changed bigint, reason text) RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    IF changed = 0 THEN RAISE EXCEPTION '%', reason USING ERRCODE = 'TR001'; END IF;
    RETURN changed;
  END $$`
]

const trigger = (name: string, when: string, body: string, result = "NULL") => [
  `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN ${result}; END $$`,
  `CREATE TRIGGER ${name} ${when} EXECUTE FUNCTION ${name}()`
]

const kind = (row: "NEW" | "OLD") => `CASE WHEN ${row}.state = 'closed' THEN 'closed' ELSE 'open' END`
const count = (row: "NEW" | "OLD", n: 1 | -1) =>
  `INSERT INTO session_counts (app, state, stripe, n) VALUES (${row}.app, ${kind(row)}, ${stripe}, ${n})
    ON CONFLICT (app, state, stripe) DO UPDATE SET n = session_counts.n + excluded.n;`

const sessions = [
  `CREATE TABLE sessions (
    id ${text} PRIMARY KEY,
    app ${text} NOT NULL,
    agent ${text} NOT NULL,
    state ${text} NOT NULL CHECK (state IN ('idle', 'turning', 'retiring', 'closed')),
    substate ${text} NOT NULL,
    turn_count bigint NOT NULL,
    created_at bigint NOT NULL,
    last_activity_at bigint NOT NULL,
    last_turn_at bigint,
    closed_at bigint,
    thread_id ${text},
    restarts bigint NOT NULL,
    usage ${text} NOT NULL,
    snapshot ${text} NOT NULL,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
  ) WITH (fillfactor = 75)`,
  `CREATE TABLE session_requests (
    session ${text} PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    cwd ${text} NOT NULL,
    owns_cwd bigint NOT NULL,
    model ${text},
    system_prompt ${text},
    permissions ${text} NOT NULL,
    meta ${text} NOT NULL,
    mode ${text},
    effort ${text},
    setup ${text} NOT NULL DEFAULT '{}'
  )`,
  `CREATE INDEX sessions_by_age ON sessions (created_at, id)`,
  `CREATE INDEX sessions_by_app ON sessions (app, created_at, id)`,
  `CREATE INDEX sessions_open_by_age ON sessions (created_at, id) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_open_by_app ON sessions (app, created_at, id) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_open_by_activity ON sessions (last_activity_at, id) WHERE closed_at IS NULL`,
  `CREATE INDEX sessions_busy ON sessions (created_at, id) WHERE state IN ('turning', 'retiring')`,
  `CREATE INDEX sessions_by_close ON sessions (closed_at, id) WHERE closed_at IS NOT NULL`,
  `CREATE INDEX sessions_by_thread ON sessions (thread_id) WHERE thread_id IS NOT NULL`,
  `CREATE TABLE session_counts (
    app ${text} NOT NULL,
    state ${text} NOT NULL,
    stripe bigint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (app, state, stripe)
  ) WITH (fillfactor = 70)`,
  ...trigger("session_counted", "AFTER INSERT ON sessions FOR EACH ROW", count("NEW", 1)),
  ...trigger(
    "session_recounted",
    `AFTER UPDATE OF state ON sessions FOR EACH ROW WHEN ((NEW.state = 'closed') <> (OLD.state = 'closed'))`,
    `${count("OLD", -1)} ${count("NEW", 1)}`
  ),
  ...trigger("session_uncounted", "AFTER DELETE ON sessions FOR EACH ROW", count("OLD", -1))
]

const steps = [
  `CREATE TABLE steps (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq bigint NOT NULL CHECK (seq > 0),
    at bigint NOT NULL,
    event ${text} NOT NULL,
    from_state ${text} NOT NULL,
    to_state ${text} NOT NULL,
    commands ${text} NOT NULL,
    wire ${text},
    PRIMARY KEY (session, seq)
  )`,
  `CREATE TABLE owed (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    step bigint NOT NULL,
    nth bigint NOT NULL,
    type ${text} NOT NULL,
    params ${text} NOT NULL,
    once bigint NOT NULL,
    attempted bigint NOT NULL,
    PRIMARY KEY (session, step, nth)
  )`,
  `CREATE TABLE timers (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    timer ${text} NOT NULL,
    due_at bigint NOT NULL,
    event ${text} NOT NULL,
    PRIMARY KEY (session, timer)
  )`
]

const addToDay = (at: string, turns: string, value: (column: string) => string) =>
  `INSERT INTO usage_days (day, app, agent, stripe, turns, ${tokens.join(", ")})
    SELECT ${at} / 86400000, app, agent, ${stripe}, ${turns}, ${tokens.map(value).join(", ")}
    FROM sessions WHERE id = NEW.session
    ON CONFLICT (day, app, agent, stripe) DO UPDATE SET turns = usage_days.turns + excluded.turns,
      ${tokens.map((column) => `${column} = usage_days.${column} + excluded.${column}`).join(", ")};`

const turns = [
  `CREATE TABLE turns (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    idx bigint NOT NULL CHECK (idx > 0),
    kind ${text} NOT NULL CHECK (kind IN ('prompt', 'compact')),
    status ${text} NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'interrupted', 'failed', 'timed_out')),
    submitted_at bigint NOT NULL,
    ended_at bigint,
    stop_reason ${text},
    interrupted bigint NOT NULL,
    tool_iterations bigint NOT NULL,
    thread_id ${text},
    agent_turn_id ${text},
    context_lost bigint NOT NULL,
    ${tokens.map((column) => `${column} bigint NOT NULL`).join(", ")},
    failure ${text},
    prompt ${text} NOT NULL,
    content ${text},
    settings ${text} NOT NULL DEFAULT '{}',
    given_context ${text},
    PRIMARY KEY (session, idx),
    CHECK ((status IN ('queued', 'running')) = (ended_at IS NULL))
  )`,
  `CREATE INDEX turns_open ON turns (session, idx) WHERE ended_at IS NULL`,
  ...trigger(
    "turn_has_one_outcome",
    `BEFORE UPDATE OF status, stop_reason, ended_at ON turns FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL
      AND (NEW.status, NEW.stop_reason, NEW.ended_at) IS DISTINCT FROM (OLD.status, OLD.stop_reason, OLD.ended_at))`,
    "RAISE EXCEPTION 'the turn has its outcome already';"
  ),
  `CREATE TABLE usage_days (
    day bigint NOT NULL,
    app ${text} NOT NULL,
    agent ${text} NOT NULL,
    stripe bigint NOT NULL,
    turns bigint NOT NULL,
    ${tokens.map((column) => `${column} bigint NOT NULL`).join(", ")},
    PRIMARY KEY (day, app, agent, stripe)
  ) WITH (fillfactor = 70)`,
  ...trigger(
    "turn_ended_at_once",
    "AFTER INSERT ON turns FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL)",
    addToDay("NEW.ended_at", "1", (column) => `NEW.${column}`)
  ),
  ...trigger(
    "turn_ended",
    "AFTER UPDATE OF ended_at ON turns FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)",
    addToDay("NEW.ended_at", "1", (column) => `NEW.${column}`)
  ),
  ...trigger(
    "turn_usage_corrected",
    "AFTER UPDATE OF total_tokens ON turns FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)",
    addToDay("NEW.ended_at", "0", (column) => `NEW.${column} - OLD.${column}`)
  )
]

const events = [
  `CREATE TABLE events (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq bigint NOT NULL CHECK (seq > 0),
    turn bigint,
    at bigint NOT NULL,
    message ${text} NOT NULL,
    PRIMARY KEY (session, seq)
  )`,
  `CREATE INDEX events_by_turn ON events (session, turn, seq)`
]

const records = [
  `CREATE TABLE leases (
    id ${text} PRIMARY KEY,
    session ${text} UNIQUE REFERENCES sessions (id) ON DELETE SET NULL,
    generation bigint NOT NULL,
    boot_id ${text} NOT NULL,
    opened_at bigint NOT NULL,
    pid bigint,
    start_time ${text},
    supervisor_pid bigint,
    supervisor_start_time ${text},
    pid_namespace ${text}
  )`,
  `CREATE TABLE files (
    id ${text} PRIMARY KEY,
    app ${text} NOT NULL,
    name ${text} NOT NULL,
    size bigint NOT NULL,
    path ${text} NOT NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE INDEX files_by_age ON files (created_at)`,
  `CREATE TABLE apps (
    name ${text} PRIMARY KEY,
    created_at bigint NOT NULL,
    revoked_at bigint,
    token_at bigint NOT NULL,
    token_hash ${text} NOT NULL UNIQUE,
    bounds ${text}
  )`,
  `CREATE TABLE receipts (
    app ${text} NOT NULL,
    key ${text} NOT NULL,
    fingerprint ${text} NOT NULL,
    created_at bigint NOT NULL,
    status bigint,
    body ${text},
    session ${text},
    turn bigint,
    lease ${text},
    PRIMARY KEY (app, key)
  )`,
  `CREATE INDEX receipts_by_age ON receipts (created_at)`,
  // The order of ids is that of commits within a session.
  `CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    session ${text},
    app ${text},
    action ${text} NOT NULL,
    actor ${text} NOT NULL,
    detail ${text} NOT NULL
  )`,
  `CREATE INDEX audit_by_session ON audit (session, id)`,
  `CREATE INDEX audit_burials ON audit (at, session) WHERE action = 'sweep_delete'`,
  `CREATE TABLE pings (id bigint PRIMARY KEY CHECK (id = 1), n bigint NOT NULL)`,
  `CREATE TABLE commits (writer ${text} PRIMARY KEY, nth bigint NOT NULL, at bigint NOT NULL)`,
  // The Troupe that works on this database, or did last.
  `CREATE TABLE owner (id bigint PRIMARY KEY CHECK (id = 1), token ${text} NOT NULL)`
]

const reviews = [
  `CREATE TABLE nudges (
    session ${text} PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    user_turns bigint NOT NULL CHECK (user_turns >= 0),
    tool_iterations bigint NOT NULL CHECK (tool_iterations >= 0)
  )`,
  `CREATE TABLE owed_reviews (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    review_memory bigint NOT NULL,
    review_skills bigint NOT NULL,
    PRIMARY KEY (session, turn),
    CHECK (review_memory + review_skills > 0)
  )`,
  `CREATE TABLE reviews (
    id ${text} PRIMARY KEY,
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    review_memory bigint NOT NULL,
    review_skills bigint NOT NULL,
    mode ${text} NOT NULL CHECK (mode IN ('codex_responses', 'host')),
    model ${text},
    started_at bigint NOT NULL,
    ended_at bigint,
    ending ${text} CHECK (ending IN ('completed', 'cancelled', 'failed', 'over_budget')),
    reason ${text},
    iterations bigint NOT NULL,
    wrote ${text} NOT NULL,
    ${tokens.map((column) => `${column} bigint NOT NULL`).join(", ")},
    CHECK ((ending IS NULL) = (ended_at IS NULL)),
    CHECK (review_memory + review_skills > 0)
  )`,
  `CREATE INDEX reviews_by_session ON reviews (session, started_at, id)`,
  `CREATE UNIQUE INDEX reviews_running ON reviews (session) WHERE ended_at IS NULL`,
  ...trigger(
    "review_has_one_ending",
    "BEFORE UPDATE OF ending, ended_at ON reviews FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)",
    "RAISE EXCEPTION 'the review has ended already';"
  ),
  ...trigger(
    "review_used",
    "AFTER UPDATE OF total_tokens ON reviews FOR EACH ROW",
    addToDay("NEW.started_at", "0", (column) => `NEW.${column} - OLD.${column}`)
  ),
  `CREATE TABLE memories (
    id ${text} PRIMARY KEY,
    app ${text} NOT NULL,
    text ${text} NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
  )`,
  `CREATE INDEX memories_by_app ON memories (app, created_at, id)`,
  `CREATE TABLE skills (
    app ${text} NOT NULL,
    name ${text} NOT NULL,
    description ${text} NOT NULL,
    body ${text} NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (app, name)
  )`
]

const approvals = [
  `CREATE TABLE approvals (
    id ${text} PRIMARY KEY,
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    kind ${text} NOT NULL,
    title ${text} NOT NULL,
    tool_call_id ${text},
    raw ${text} NOT NULL,
    created_at bigint NOT NULL,
    deadline_at bigint NOT NULL,
    status ${text} NOT NULL CHECK (status IN ('pending', 'answered', 'expired', 'withdrawn')),
    decision ${text} CHECK (decision IN ('once', 'session', 'deny')),
    decided_by ${text},
    settled_at bigint,
    fields ${text},
    answers ${text},
    CHECK ((status = 'pending') = (settled_at IS NULL)),
    CHECK ((settled_at IS NULL) = (decision IS NULL) AND (settled_at IS NULL) = (decided_by IS NULL)),
    CHECK (status IN ('pending', 'answered') OR decision = 'deny')
  )`,
  `CREATE INDEX approvals_by_session ON approvals (session, created_at, id)`,
  `CREATE INDEX approvals_pending ON approvals (session, created_at, id) WHERE status = 'pending'`
]

const addCost = (amount: string) =>
  `INSERT INTO cost_days (day, app, agent, currency, stripe, amount)
    SELECT NEW.at / 86400000, app, agent, NEW.currency, ${stripe}, ${amount} FROM sessions WHERE id = NEW.session
    ON CONFLICT (day, app, agent, currency, stripe)
      DO UPDATE SET amount = round((cost_days.amount + excluded.amount)::numeric, 9)::double precision;`

const costs = [
  `CREATE TABLE costs (
    session ${text} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    at bigint NOT NULL,
    thread ${text} NOT NULL,
    currency ${text} NOT NULL,
    told double precision NOT NULL CHECK (told >= 0),
    told_before double precision,
    cut bigint NOT NULL DEFAULT 0,
    amount double precision GENERATED ALWAYS AS (
      CASE WHEN told >= told_before THEN round((told - told_before)::numeric, 9)::double precision END
    ) STORED,
    PRIMARY KEY (session, turn)
  )`,
  `CREATE TABLE cost_days (
    day bigint NOT NULL,
    app ${text} NOT NULL,
    agent ${text} NOT NULL,
    currency ${text} NOT NULL,
    stripe bigint NOT NULL,
    amount double precision NOT NULL,
    PRIMARY KEY (day, app, agent, currency, stripe)
  ) WITH (fillfactor = 70)`,
  ...trigger("cost_told", "AFTER INSERT ON costs FOR EACH ROW", addCost("coalesce(NEW.amount, 0)")),
  ...trigger(
    "cost_told_again",
    "AFTER UPDATE OF told ON costs FOR EACH ROW",
    addCost("coalesce(NEW.amount, 0) - coalesce(OLD.amount, 0)")
  )
]

export default [functions, sessions, steps, turns, events, records, reviews, approvals, costs].flat()
