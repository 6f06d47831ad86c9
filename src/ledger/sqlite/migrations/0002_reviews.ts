/**
 * What is learned from a session: its nudge counters, its reviews, and the memories and skills of its app.
 *
 * The schema guarantees that a session has one running review at a time, that a review has one ending, and that its
 * tokens are in the usage of the day on which it began. Counters and reviews are deleted with their session; memories
 * and skills belong to the app and stay.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const tokens = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens"]

const nudges = [
  // `turn` is the last turn that was counted, so that no turn is counted twice.
  `CREATE TABLE nudges (
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    user_turns INTEGER NOT NULL CHECK (user_turns >= 0),
    tool_iterations INTEGER NOT NULL CHECK (tool_iterations >= 0)
  ) STRICT, WITHOUT ROWID`
]

const reviews = [
  `CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    review_memory INTEGER NOT NULL,
    review_skills INTEGER NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('codex_responses', 'host')),
    model TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    ending TEXT CHECK (ending IN ('completed', 'cancelled', 'failed', 'over_budget')),
    reason TEXT,
    iterations INTEGER NOT NULL,
    wrote TEXT NOT NULL,
    ${tokens.map((column) => `${column} INTEGER NOT NULL`).join(",\n    ")},
    CHECK ((ending IS NULL) = (ended_at IS NULL)),
    CHECK (review_memory + review_skills > 0)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX reviews_by_session ON reviews (session, started_at, id)`,
  `CREATE UNIQUE INDEX reviews_running ON reviews (session) WHERE ended_at IS NULL`,
  `CREATE TRIGGER review_has_one_ending BEFORE UPDATE OF ending, ended_at ON reviews WHEN OLD.ended_at IS NOT NULL
  BEGIN
    SELECT RAISE(ABORT, 'the review has ended already');
  END`,
  `CREATE TRIGGER review_used AFTER UPDATE OF total_tokens ON reviews BEGIN
    INSERT INTO usage_days (day, app, agent, turns, ${tokens.join(", ")})
      SELECT NEW.started_at / 86400000, app, agent, 0, ${tokens.map((t) => `NEW.${t} - OLD.${t}`).join(", ")}
      FROM sessions WHERE id = NEW.session
      ON CONFLICT (day, app, agent) DO UPDATE SET
        ${tokens.map((column) => `${column} = ${column} + excluded.${column}`).join(", ")};
  END`
]

const learned = [
  `CREATE TABLE memories (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX memories_by_app ON memories (app, created_at, id)`,
  `CREATE TABLE skills (
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, name)
  ) STRICT`
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [nudges, reviews, learned].flat()) yield* sql.unsafe(statement)
})
