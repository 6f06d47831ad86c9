/** What has been used: tokens and turns, by day, app and agent. */
import { Context, Effect, Layer } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { Unavailable } from "../domain/Refusal.ts"
import type { Usage } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { unavailable } from "./faults.ts"
import type { Caller } from "./Sessions.ts"

export interface SpendingOfDay {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string
  readonly app: AppName
  readonly agent: string
  readonly turns: number
  readonly usage: Usage
}

export class Spending extends Context.Service<
  Spending,
  {
    /** An app's own, or the admin's view of all; `from` inclusive, `to` exclusive, in milliseconds since 1970. */
    readonly between: (
      caller: Caller,
      from: number,
      to: number
    ) => Effect.Effect<ReadonlyArray<SpendingOfDay>, Unavailable>
  }
>()("troupe/actor/Spending") {
  static readonly layer: Layer.Layer<Spending, never, Ledger> = Layer.effect(
    Spending,
    Effect.map(Ledger, (ledger) =>
      Spending.of({
        between: (caller, from, to) =>
          unavailable(ledger.usage({ app: caller._tag === "App" ? caller.app : null, from, to }))
      })
    )
  )
}
