/** Whether the runtime takes new work now. Every service that begins some asks first. */
import { Effect } from "effect"
import { Draining } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { DrainState } from "./DrainState.ts"
import { ledgerAway } from "./errors.ts"

/** Fails while the runtime is draining, or while the ledger is away and could not store what is asked for. */
export const make = Effect.gen(function* () {
  const drainState = yield* DrainState
  const admitElsewhere = yield* makeElsewhere

  return Effect.suspend((): Effect.Effect<void, Draining | LedgerError> =>
    drainState.draining() ? Effect.fail(new Draining({})) : admitElsewhere
  )
})

/** The same for work that another node takes while this one drains. */
export const makeElsewhere = Effect.map(Ledger, (ledger) =>
  Effect.suspend((): Effect.Effect<void, LedgerError> => {
    const away = ledger.away()
    return away === null ? Effect.void : Effect.fail(ledgerAway(away, "take new work"))
  })
)
