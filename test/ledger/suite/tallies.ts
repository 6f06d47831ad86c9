/** What is counted of the fleet: of each run its own rows, the newest count in place of the one before, for a day. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { emptyTally } from "../../../src/domain/Tally.ts"
import type { TallyRecord } from "../../../src/domain/Tally.ts"
import { app, otherApp } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const at = 1_700_000_100_000
const tally = (n: number, fields: Partial<TallyRecord> = {}): TallyRecord => ({
  at,
  run: "first",
  app,
  agent: "codex",
  version: "1.0",
  tally: { ...emptyTally, outcomes: { completed: n }, duration: { "12": n } },
  ...fields
})

export const tallies = ({ onLedger }: LedgerUnderTest) => {
  it.effect("are replaced by the same run's next count, stand beside another's, and are forgotten", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const kept = [
          tally(3),
          tally(5, { run: "second" }),
          tally(1, { app: otherApp }),
          tally(2, { version: "1.1" }),
          tally(9, { at: at + 300_000 })
        ]
        yield* ledger.write(
          [tally(1), ...kept, tally(8, { at: at - 300_000 })].map((record) => ({ _tag: "FleetTallied", record }))
        )
        assert.sameDeepMembers([...(yield* ledger.tallies(null, at, 99))], kept)
        assert.deepStrictEqual(yield* ledger.tallies(otherApp, at, 99), [kept[2]!])
        assert.deepStrictEqual(yield* ledger.tallies(null, at, 1), [kept[4]!])
        yield* ledger.write([{ _tag: "FleetForgotten", before: at + 1 }])
        assert.deepStrictEqual(yield* ledger.tallies(null, 0, 99), [kept[4]!])
      })
    )
  )
}
