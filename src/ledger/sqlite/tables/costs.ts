/** What turns cost, where their agents tell. Written with the event that tells it. */
import { Effect } from "effect"
import type { AcpMessage } from "../../../domain/Acp.ts"
import { costIn } from "../../../domain/Cost.ts"
import type { Cost } from "../../../domain/Cost.ts"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { StoredEvent } from "../../../domain/Session.ts"
import type { Database, Write } from "../Database.ts"
import { json } from "./columns.ts"

const tell = `INSERT INTO costs (session, turn, at, thread, currency, told, told_before)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, iif(before.session IS NULL, 0, iif(before.cut, NULL, before.told))
  FROM (SELECT 1) LEFT JOIN (
    SELECT session, told, cut FROM costs
    WHERE session = ?1 AND turn < ?2 AND thread = ?4 AND currency = ?5 ORDER BY turn DESC LIMIT 1
  ) AS before
  WHERE true
  ON CONFLICT (session, turn) DO UPDATE SET told = excluded.told`

const cut = `UPDATE costs SET cut = 1
  WHERE session = ?1 AND turn = (SELECT max(turn) FROM costs WHERE session = ?1)`

/** None for what tells no cost, or tells it outside of any turn: the next turn's total has it in it. */
export const told = ({ at, message, session, turn }: StoredEvent): ReadonlyArray<Write> => {
  if (isDeath(message)) return [{ text: cut, params: [session] }]
  const cost = turn === null ? null : costIn(message)
  if (cost === null) return []
  return [{ text: tell, params: [session, turn, at, cost.thread, cost.currency, cost.amount] }]
}

/** A process that goes when it is asked to, or told to, saves what it has to. */
const isDeath = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "_troupe/state") return false
  const { event, from, to } = message.params
  if (event === "process.lost") return true
  const wentByItself = event === "process.exited" && String(from).startsWith("retiring.")
  return to === "retiring.killing" && !wentByItself
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
        `SELECT session, currency, round(sum(amount), 9) AS amount, max(turn) AS turn FROM costs
          WHERE session IN (SELECT value FROM json_each(?)) AND amount IS NOT NULL
          GROUP BY session, currency ORDER BY session, turn`,
        [json(sessions)],
        ({ amount, currency, session }: CostRow) => [session, { amount, currency }] as const
      )
      .pipe(Effect.map((rows): ReadonlyMap<SessionId, Cost> => new Map(rows))),
  costs: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) =>
    db.all(
      "read the costs",
      `SELECT day, app, agent, currency, amount FROM cost_days WHERE day >= ?1 AND day < ?2 AND (?3 IS NULL OR app = ?3)
        ORDER BY day, app, agent, currency`,
      [Math.floor(query.from / dayMillis), Math.ceil(query.to / dayMillis), query.app],
      ({ agent, amount, app, currency, day }: DayRow) => ({
        day: new Date(day * dayMillis).toISOString().slice(0, 10),
        app,
        agent,
        cost: { amount, currency }
      })
    )
})
