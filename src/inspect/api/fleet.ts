/** `GET fleet` and `GET fleet/sessions`: what became of turns lately, and the sessions behind it. */
import { Effect } from "effect"
import { quantile } from "../../domain/Tally.ts"
import type { Histogram, Tally } from "../../domain/Tally.ts"
import { nameOf } from "../../domain/sessionName.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { FleetOverview } from "../../services/inspection/fleet.ts"
import type { Fleet, FleetNumbers, FleetPlace, FleetSessions, Quantiles } from "../fleetContract.ts"
import { get, integerOf, routes } from "./route.ts"

const times = { least: 0, most: 100_000_000_000, otherwise: 0 }

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection
    return [
      get(
        "/fleet",
        ({ caller, query }) => {
          const window = query.get("window") ?? "hour"
          return window === "hour" || window === "day"
            ? Effect.map(inspection.fleet(caller, window), fleetDto)
            : Effect.fail(new InvalidRequest({ field: "window", problem: "must be hour or day." }))
        },
        { query: ["window"] }
      ),
      get(
        "/fleet/sessions",
        Effect.fnUntraced(function* ({ caller, query }) {
          const [from, to] = [yield* integerOf(query, "from", times), yield* integerOf(query, "to", times)]
          const failed = query.get("failed") === "1"
          const sessions = yield* inspection.fleetSessions(caller, { from: from * 1000, to: to * 1000, failed })
          const names = yield* inspection.names(sessions.map(({ id }) => id))
          return {
            ok: true,
            sessions: sessions.map(({ at, id, ...session }) => ({
              session_id: id,
              name: names.get(id) ?? id,
              ...session,
              at: at / 1000
            }))
          } satisfies FleetSessions
        }),
        { query: ["from", "to", "failed"] }
      )
    ]
  })
)

const fleetDto = ({ agents, all, bars, days, from, pool, stepMillis, to }: FleetOverview): Fleet => ({
  ok: true,
  from: from / 1000,
  to: to / 1000,
  step_seconds: stepMillis / 1000,
  bars: bars.map(({ at, tally: { outcomes } }) => ({ at: at / 1000, outcomes })),
  all: numbersOf(all),
  agents: agents.map(({ tally, ...of }) => ({ ...of, ...numbersOf(tally) })),
  days,
  pool: { ...pool, held: pool.held.map(placeOf), waiting: pool.waiting.map(placeOf) }
})

const numbersOf = ({ deaths, duration, failures, outcomes, restarts, start, tokens, wait }: Tally): FleetNumbers => ({
  outcomes,
  failures,
  deaths,
  restarts,
  tokens,
  duration: quantilesOf(duration),
  wait: quantilesOf(wait),
  start: quantilesOf(start)
})

const quantilesOf = (histogram: Histogram): Quantiles => {
  const seconds = (q: number) => {
    const millis = quantile(histogram, q)
    return millis === null ? null : millis / 1000
  }
  return { p50: seconds(0.5), p95: seconds(0.95) }
}

const placeOf = ({ session, since }: FleetOverview["pool"]["held"][number]): FleetPlace => ({
  session_id: session?.id ?? null,
  name: session === null ? null : nameOf(session),
  app: session?.app ?? null,
  agent: session?.agent ?? null,
  substate: session?.substate ?? null,
  since: since / 1000
})
