/**
 * How many sessions there are, none of which is looked at: triggers keep the numbers of open and of closed ones. Those at
 * work are counted in an index that has no others.
 */
import { Effect } from "effect"
import type { AppName } from "../../../domain/Ids.ts"
import type { SessionState } from "../../../domain/Session.ts"
import type { SessionQuery } from "../../LedgerQuery.ts"
import type { LedgerError } from "../../LedgerError.ts"
import type { Database } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"

interface Counted {
  readonly state: "open" | SessionState
  readonly n: number
}

const countedOf = ({ n, state }: Counted) => [state, n] as const

const kept = ({ sum }: Dialect, app: AppName | null) =>
  `SELECT state, ${sum("n")} AS n FROM session_counts${app === null ? "" : " WHERE app = ?"} GROUP BY state`

/** In the words of the partial indexes: SQLite's of the sessions that do not sleep, and PostgreSQL's of those at work. */
export const atWork = "closed_at IS NULL AND substate <> 'idle.asleep' AND state IN ('turning', 'retiring')"

/** All apps together have fewer busy sessions than one app has sessions: so not by the index by app. */
const busy = ({ usingIndex, withoutIndex }: Dialect, app: AppName | null) =>
  `SELECT state, count(*) AS n FROM sessions${usingIndex("sessions_restless")}
    WHERE ${atWork}${app === null ? "" : ` AND ${withoutIndex("app")} = ?`} GROUP BY state`

interface CountedSubstate {
  readonly substate: string
  readonly n: number
}

/** In the words of the index of sessions that do not sleep. */
const restless = (
  { usingIndex, withoutIndex }: Dialect,
  app: AppName | null
) => `SELECT substate, count(*) AS n FROM sessions${usingIndex("sessions_restless")}
  WHERE closed_at IS NULL AND substate <> 'idle.asleep'${app === null ? "" : ` AND ${withoutIndex("app")} = ?`} GROUP BY substate`

const zero = { open: 0, turning: 0, retiring: 0, closed: 0 }

export const reads = (db: Database) => {
  const read = (text: string, params: ReadonlyArray<AppName>) =>
    Effect.map(db.all("count the sessions", text, params, countedOf), (rows) => ({
      ...zero,
      ...Object.fromEntries(rows)
    }))

  const stateCounts = (app: AppName | null) =>
    read(`${kept(db.dialect, app)} UNION ALL ${busy(db.dialect, app)}`, app === null ? [] : [app, app]).pipe(
      Effect.map(({ closed, open, retiring, turning }) => ({
        idle: open - turning - retiring,
        turning,
        retiring,
        closed
      }))
    )

  const count = (app: AppName | null, state: SessionQuery["state"]): Effect.Effect<number, LedgerError> =>
    state === null || state === "open" || state === "closed"
      ? Effect.map(read(kept(db.dialect, app), app === null ? [] : [app]), ({ closed, open }) =>
          state === null ? open + closed : state === "open" ? open : closed
        )
      : Effect.map(stateCounts(app), (counts) => counts[state])

  const substateCounts = Effect.fnUntraced(function* (app: AppName | null) {
    const params = app === null ? [] : [app]
    const { open } = yield* read(kept(db.dialect, app), params)
    const awake = yield* db.all(
      "count the sessions",
      restless(db.dialect, app),
      params,
      ({ n, substate }: CountedSubstate) => [substate, n] as const
    )
    const asleep = awake.reduce((rest, [, n]) => rest - n, open)
    const counts: Readonly<Record<string, number>> = {
      "idle.asleep": Math.max(0, asleep),
      ...Object.fromEntries(awake)
    }
    return counts
  })

  return { stateCounts, count, substateCounts }
}
