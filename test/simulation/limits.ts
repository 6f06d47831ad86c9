/** The limits of a run: small ones, so that they are reached. */
import type { Limits } from "../../src/domain/Settings.ts"
import { diceOf } from "./random.ts"

export const limitsOf = (seed: number): Partial<Limits> => {
  const dice = diceOf(seed + 1)
  return {
    maxProcesses: dice.between(1, 3),
    maxSessions: 6,
    poolWaitMillis: dice.pick([5_000, 30_000]),
    hibernateAfterMillis: dice.pick([10_000, 60_000]),
    turnTimeoutMillis: dice.pick([60_000, 240_000]),
    postToolQuietMillis: dice.pick([20_000, 90_000]),
    turnQuietMillis: dice.pick([null, 60_000]),
    approvalTimeoutMillis: dice.pick([15_000, 60_000]),
    ledgerPatienceMillis: dice.pick([2_000, 20_000]),
    sessionTtlMillis: dice.pick([null, 20 * 60_000]),
    sessionIdleTtlMillis: dice.pick([null, 5 * 60_000]),
    warmSpares: dice.between(0, 1)
  }
}

/** For histories in which the database is away for longer than a node's lease, and agents are there at the end of it. */
export const limitsOfContact: Partial<Limits> = { ledgerPatienceMillis: 60_000, hibernateAfterMillis: 120_000 }
