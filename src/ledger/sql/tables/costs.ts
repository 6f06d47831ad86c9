/** What turns cost, where their agents report it. A cost is written together with the event that reports it. */
import { Effect } from "effect"
import type { AcpMessage } from "../../../domain/Acp.ts"
import { costIn } from "../../../domain/Cost.ts"
import type { Cost } from "../../../domain/Cost.ts"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { StoredEvent } from "../../../domain/Session.ts"
import type { Database, Write } from "../Database.ts"
import { json } from "./columns.ts"

const insertCost = `INSERT INTO costs (session, turn, at, thread, currency, told, told_before)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6,
    CASE WHEN before.session IS NULL THEN 0 WHEN before.cut <> 0 THEN NULL ELSE before.told END
  FROM (SELECT 1 AS n) AS one LEFT JOIN (
    SELECT session, told, cut FROM costs
    WHERE session = ?1 AND turn < ?2 AND thread = ?4 AND currency = ?5 ORDER BY turn DESC LIMIT 1
  ) AS before ON true
  WHERE true
  ON CONFLICT (session, turn) DO UPDATE SET told = excluded.told`

const markCut = `UPDATE costs SET cut = 1
  WHERE session = ?1 AND turn = (SELECT max(turn) FROM costs WHERE session = ?1)`

/** No write for an event without a cost, or outside of any turn: the next turn's total includes that cost. */
export const reported = ({ at, message, session, turn }: StoredEvent): ReadonlyArray<Write> => {
  if (mayHaveLostTotal(message)) return [{ text: markCut, params: [session] }]
  const cost = turn === null ? null : costIn(message)
  if (cost === null) return []
  return [{ text: insertCost, params: [session, turn, at, cost.thread, cost.currency, cost.amount] }]
}

/** The process ended without being asked to exit, or was killed: it may not have saved its running total. */
const mayHaveLostTotal = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "_troupe/state") return false
  const { event, from, to } = message.params
  if (event === "process.lost") return true
  const exitedWhenAsked = event === "process.exited" && String(from).startsWith("retiring.")
  return to === "retiring.killing" && !exitedWhenAsked
}

interface CostRow extends Cost {
  readonly session: SessionId
}

interface DayRow extends Cost {
  readonly day: number
  readonly app: AppName
  readonly agent: string
}

const dayMillis = 86_400_000

export const reads = (db: Database) => ({
  costsOfSessions: (sessions: ReadonlyArray<SessionId>) =>
    db
      .all(
        "read what sessions cost",
        `SELECT session, currency, ${db.dialect.round("sum(amount)")} AS amount, max(turn) AS turn FROM costs
          WHERE ${db.dialect.inList("session")} AND amount IS NOT NULL
          GROUP BY session, currency ORDER BY session, turn`,
        [json(sessions)],
        ({ amount, currency, session }: CostRow) => [session, { amount, currency }] as const
      )
      .pipe(Effect.map((rows): ReadonlyMap<SessionId, Cost> => new Map(rows))),
  costs: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) =>
    db.all(
      "read the costs",
      `SELECT day, app, agent, currency, ${db.dialect.round("sum(amount)")} AS amount FROM cost_days
        WHERE day >= ? AND day < ?${query.app === null ? "" : " AND app = ?"}
        GROUP BY day, app, agent, currency ORDER BY day, app, agent, currency`,
      [Math.floor(query.from / dayMillis), Math.ceil(query.to / dayMillis), ...(query.app === null ? [] : [query.app])],
      ({ agent, amount, app, currency, day }: DayRow) => ({
        day: new Date(day * dayMillis).toISOString().slice(0, 10),
        app,
        agent,
        cost: { amount, currency }
      })
    )
})
