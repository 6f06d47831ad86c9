/** Reports tokens, turns and costs by day, app and agent. */
import { Context, Effect, Layer } from "effect"
import type { Cost } from "../domain/Cost.ts"
import type { AppName } from "../domain/Ids.ts"
import type { Unavailable } from "../domain/Refusal.ts"
import { noUsage } from "../domain/Turn.ts"
import type { Usage } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import { appFilter } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"

export interface DailyUsage {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string
  readonly app: AppName
  readonly agent: string
  readonly turns: number
  readonly usage: Usage
  /** By currency; empty where the agent reports no cost. */
  readonly costs: ReadonlyArray<Cost>
}

export class UsageReport extends Context.Service<
  UsageReport,
  {
    /** An app gets its own usage, the admin all. `from` is inclusive, `to` exclusive, in milliseconds since 1970. */
    readonly between: (
      caller: Caller,
      from: number,
      to: number
    ) => Effect.Effect<ReadonlyArray<DailyUsage>, Unavailable>
  }
>()("troupe/services/UsageReport") {
  static readonly layer: Layer.Layer<UsageReport, never, Ledger> = Layer.effect(
    UsageReport,
    Effect.map(Ledger, (ledger) =>
      UsageReport.of({
        between: (caller, from, to) => {
          const query = { app: appFilter(caller), from, to }
          return unavailable(Effect.zipWith(ledger.usage(query), ledger.costs(query), withCosts))
        }
      })
    )
  )
}

/** A day may have costs and no turn: a turn that ends after midnight may have reported its cost before. */
const withCosts = (
  usage: ReadonlyArray<Omit<DailyUsage, "costs">>,
  costs: ReadonlyArray<Pick<DailyUsage, "day" | "app" | "agent"> & { readonly cost: Cost }>
): ReadonlyArray<DailyUsage> => {
  const key = ({ agent, app, day }: Pick<DailyUsage, "day" | "app" | "agent">) => `${day} ${app} ${agent}`
  const days = new Map(usage.map((day) => [key(day), { ...day, costs: [] as ReadonlyArray<Cost> }]))
  for (const { cost, ...of } of costs) {
    const day = days.get(key(of)) ?? { ...of, turns: 0, usage: noUsage, costs: [] }
    days.set(key(of), { ...day, costs: [...day.costs, cost] })
  }
  return [...days.values()].toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
