/** What became of turns lately, by what was counted of them; the process slots of this machine; and what sessions are behind. */
import { Clock, Effect, Option } from "effect"
import { added, emptyTally, tallyStepMillis } from "../../domain/Tally.ts"
import type { Tally, TallyRecord } from "../../domain/Tally.ts"
import { addCosts } from "../../domain/Cost.ts"
import type { Cost } from "../../domain/Cost.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { cursorOf } from "../../ledger/Cursor.ts"
import { anySession, Ledger } from "../../ledger/Ledger.ts"
import type { SessionSummary } from "../../ledger/Ledger.ts"
import { appFilter, sees } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { cannot } from "../../runtime/errors.ts"
import { ProcessSlots } from "../../runtime/ProcessSlots.ts"
import { ThisNode } from "../../runtime/ThisNode.ts"

export type FleetWindow = "hour" | "day"

/** How long each is, and the steps in which it is shown. */
const windows: Readonly<Record<FleetWindow, { readonly millis: number; readonly stepMillis: number }>> = {
  hour: { millis: 3_600_000, stepMillis: tallyStepMillis },
  day: { millis: 86_400_000, stepMillis: 6 * tallyStepMillis }
}
/** Of the last ones; more are only where very many apps are busy all day. */
const mostTallies = 20_000
const daysOfUsage = 7
const dayMillis = 86_400_000
const mostPlaces = 200
const mostSessions = 200

export interface FleetPlace {
  /** `null`: the caller does not see it. */
  readonly session: Pick<SessionSummary, "id" | "app" | "agent" | "substate" | "title" | "opening"> | null
  readonly since: number
}

/** Times are milliseconds since 1970. */
export interface FleetOverview {
  readonly from: number
  readonly to: number
  readonly stepMillis: number
  readonly bars: ReadonlyArray<{ readonly at: number; readonly tally: Tally }>
  readonly all: Tally
  readonly agents: ReadonlyArray<{ readonly agent: string; readonly version: string; readonly tally: Tally }>
  readonly days: ReadonlyArray<{
    readonly day: string
    readonly app: string
    readonly turns: number
    readonly tokens: number
    readonly costs: ReadonlyArray<Cost>
  }>
  readonly pool: {
    readonly node: string | null
    readonly size: number
    readonly held: ReadonlyArray<FleetPlace>
    readonly waiting: ReadonlyArray<FleetPlace>
  }
}

export interface FleetSession extends Pick<SessionSummary, "id" | "app" | "agent"> {
  readonly at: number
  readonly what: string
}

const sumOf = (records: ReadonlyArray<TallyRecord>): Tally =>
  records.reduce<Tally>((sum, { tally }) => added(sum, tally), emptyTally)

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const slots = yield* ProcessSlots
  const { isAlone, name } = yield* ThisNode

  const placesOf = (caller: Caller, places: ReadonlyArray<{ readonly session: SessionId; readonly since: number }>) =>
    Effect.forEach(
      places.slice(0, mostPlaces),
      Effect.fnUntraced(function* ({ session: id, since }) {
        const found = Option.getOrNull(yield* ledger.summary(id))
        const place: FleetPlace = { session: found !== null && sees(caller, found) ? found : null, since }
        return place
      })
    )

  const usageOf = Effect.fnUntraced(function* (caller: Caller, now: number) {
    const query = { app: appFilter(caller), from: now - (daysOfUsage - 1) * dayMillis, to: now + 1 }
    const days = new Map<
      string,
      { day: string; app: string; turns: number; tokens: number; costs: ReadonlyArray<Cost> }
    >()
    const dayOf = (day: string, app: string) => {
      const key = `${day} ${app}`
      const found = days.get(key) ?? { day, app, turns: 0, tokens: 0, costs: [] }
      days.set(key, found)
      return found
    }
    for (const { app, day, turns, usage } of yield* ledger.usage(query)) {
      const its = dayOf(day, app)
      its.turns += turns
      its.tokens += usage.totalTokens
    }
    for (const { app, cost, day } of yield* ledger.costs(query)) {
      const its = dayOf(day, app)
      its.costs = addCosts([...its.costs, cost])
    }
    return [...days.values()].toSorted((a, b) => b.day.localeCompare(a.day) || b.tokens - a.tokens)
  })

  const fleet = Effect.fnUntraced(function* (caller: Caller, window: FleetWindow) {
    const { millis, stepMillis } = windows[window]
    const now = yield* Clock.currentTimeMillis
    // Whole steps, the last of which is under way.
    const to = now - (now % stepMillis) + stepMillis
    const from = to - millis
    const records = yield* ledger.tallies(appFilter(caller), from, mostTallies)
    const steps = Map.groupBy(records, ({ at }) => at - (at % stepMillis))
    const kinds = Map.groupBy(records, ({ agent, version }) => JSON.stringify([agent, version]))
    const { held, waiting } = slots.view()
    const overview: FleetOverview = {
      from,
      to,
      stepMillis,
      bars: Array.from({ length: millis / stepMillis }, (_, nth) => from + nth * stepMillis).map((at) => ({
        at,
        tally: sumOf(steps.get(at) ?? [])
      })),
      all: sumOf(records),
      agents: [...kinds.values()]
        .map((ofKind) => ({ agent: ofKind[0]!.agent, version: ofKind[0]!.version, tally: sumOf(ofKind) }))
        .toSorted((a, b) => a.agent.localeCompare(b.agent) || a.version.localeCompare(b.version)),
      days: yield* usageOf(caller, now),
      pool: {
        node: isAlone ? null : name,
        size: slots.counts().size,
        held: yield* placesOf(caller, held),
        waiting: yield* placesOf(caller, waiting)
      }
    }
    return overview
  }, cannot("look at the fleet"))

  const fleetSessions = Effect.fnUntraced(function* (
    caller: Caller,
    { failed, from, to }: { readonly from: number; readonly to: number; readonly failed: boolean }
  ) {
    const app = appFilter(caller)
    if (failed) {
      return (yield* ledger.failedTurns(app, from, to, mostSessions)).map(
        ({ agent, app, class: kind, endedAt: at, id, message, status, turn }): FleetSession => {
          const why = kind === null ? status.replace("_", " ") : `${kind}: ${message}`
          return { id, app, agent, at, what: `Turn ${turn} ${why}` }
        }
      )
    }
    // In front of every id of that moment.
    const cursor = cursorOf({ createdAt: to, id: "!" })
    const { items } = yield* ledger.overview({ ...anySession, app, cursor, limit: mostSessions })
    return items
      .filter(({ lastActivityAt }) => lastActivityAt >= from)
      .map(({ agent, app, id, lastActivityAt: at, substate, turnCount }): FleetSession => ({
        id,
        app,
        agent,
        at,
        what: `${substate.replace(".", " ")}, ${turnCount} ${turnCount === 1 ? "turn" : "turns"}`
      }))
  }, cannot("list the sessions"))

  return { fleet, fleetSessions }
})
