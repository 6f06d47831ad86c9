/**
 * What turns cost, where their agents report it: the running total of the agent's thread after each turn (`told`), and
 * what the turn added to it (`amount`).
 *
 * A process that dies may not have saved its total, and its successor continues from an unknown one (observed with
 * claude-agent-acp). So the cost of the first turn after a death is unknown (`cut`), and none is invented. The costs of a
 * day outlive their sessions.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const costs = [
  `CREATE TABLE costs (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    at INTEGER NOT NULL,
    thread TEXT NOT NULL,
    currency TEXT NOT NULL,
    told REAL NOT NULL CHECK (told >= 0),
    told_before REAL,
    cut INTEGER NOT NULL DEFAULT 0,
    amount REAL GENERATED ALWAYS AS (CASE WHEN told >= told_before THEN round(told - told_before, 9) END) STORED,
    PRIMARY KEY (session, turn)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE cost_days (
    day INTEGER NOT NULL,
    app TEXT NOT NULL,
    agent TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount REAL NOT NULL,
    PRIMARY KEY (day, app, agent, currency)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER cost_told AFTER INSERT ON costs BEGIN
    ${addToDay("ifnull(NEW.amount, 0)")};
  END`,
  `CREATE TRIGGER cost_told_again AFTER UPDATE OF told ON costs BEGIN
    ${addToDay("ifnull(NEW.amount, 0) - ifnull(OLD.amount, 0)")};
  END`
]

function addToDay(amount: string): string {
  return `INSERT INTO cost_days (day, app, agent, currency, amount)
      SELECT NEW.at / 86400000, app, agent, NEW.currency, ${amount} FROM sessions WHERE id = NEW.session
      ON CONFLICT (day, app, agent, currency) DO UPDATE SET amount = round(amount + excluded.amount, 9)`
}

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of costs) yield* sql.unsafe(statement)
})
