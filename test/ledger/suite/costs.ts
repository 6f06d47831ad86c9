/** Costs: an agent reports running totals, and the ledger reads what each turn, session and day added to them. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { updateMessage } from "../../../src/domain/Acp.ts"
import { troupeMessage } from "../../../src/domain/events/troupeMessage.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, opened, eventAppended, turn } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const at = 1_700_000_002_000
const dayMillis = 86_400_000

/** The event in which an agent reports what its thread has cost so far. */
const reports = (
  seq: number,
  of: number | null,
  amount: unknown,
  more: { thread?: string; at?: number; currency?: string } = {}
) =>
  eventAppended(seq, {
    turn: of,
    at: more.at ?? at,
    message: updateMessage(more.thread ?? "thread", {
      sessionUpdate: "usage_update",
      used: 1,
      size: 2,
      cost: { amount, currency: more.currency ?? "USD" }
    })
  })

const turns = (...indexes: ReadonlyArray<number>): ReadonlyArray<LedgerWrite> =>
  indexes.map((index) => ({ _tag: "TurnInserted", record: turn({ index }) }))

const usd = (amount: number) => ({ amount, currency: "USD" })

const costsRead = Effect.gen(function* () {
  const ledger = yield* Ledger
  const turns = yield* ledger.turns(id, 0, 10)
  const days = yield* ledger.costs({ app: null, from: 0, to: at + 2 * dayMillis })
  return {
    turns: turns.map(({ cost }) => cost ?? null),
    session: (yield* ledger.costsOfSessions([id])).get(id) ?? null,
    days: days.map(({ cost, day }) => [day, cost] as const)
  }
})

export const costs = ({ onLedger }: LedgerUnderTest) => {
  const inLedger = <A, E>(test: Effect.Effect<A, E, Ledger>) =>
    onLedger((ledger) => Effect.provideService(test, Ledger, ledger))

  it.effect("a turn costs what it added to the total reported before it, by the last report of the turn", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([opened(), ...turns(1, 2, 3)])
      yield* ledger.write([reports(1, 1, 0.1), reports(2, 1, 0.3), reports(3, 3, 0.7)])
      assert.deepStrictEqual(yield* costsRead, {
        turns: [usd(0.3), null, usd(0.4)],
        session: usd(0.7),
        days: [["2023-11-14", usd(0.7)]]
      })
      const one = yield* ledger.turn(id, 3)
      assert.deepStrictEqual(Option.getOrThrow(one).cost, usd(0.4))
      assert.deepStrictEqual(
        (yield* ledger.turnOutlines(id, 0, 10)).map(({ cost }) => cost),
        [usd(0.3), undefined, usd(0.4)]
      )
    }).pipe(inLedger)
  )

  it.effect("the cost of a turn that lowered the total is unknown, and that of the next turn is known", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([opened(), ...turns(1, 2, 3), reports(1, 1, 1), reports(2, 2, 0.8), reports(3, 3, 0.9)])
      assert.deepStrictEqual(yield* costsRead, {
        turns: [usd(1), null, usd(0.1)],
        session: usd(1.1),
        days: [["2023-11-14", usd(1.1)]]
      })
    }).pipe(inLedger)
  )

  it.effect(
    "the cost of the first turn after a process died is unknown, and known after one that exited when asked",
    () =>
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const state = (seq: number, from: string, to: string, event: string) =>
          eventAppended(seq, { turn: null, message: troupeMessage("state", { from, to, event }) })
        yield* ledger.write([opened(), ...turns(1, 2, 3, 4, 5)])
        yield* ledger.write([reports(1, 1, 1), state(2, "retiring.asking", "retiring.killing", "process.exited")])
        yield* ledger.write([reports(3, 2, 2), state(4, "turning.running", "retiring.killing", "process.exited")])
        yield* ledger.write([
          reports(5, 3, 2),
          reports(6, 4, 3),
          state(7, "turning.running", "idle.asleep", "process.lost")
        ])
        yield* ledger.write([reports(8, 5, 4)])
        assert.deepStrictEqual((yield* costsRead).turns, [usd(1), usd(1), null, usd(1), null])
      }).pipe(inLedger)
  )

  it.effect("costs start from zero with another thread, and count on the day on which they were reported", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([
        opened(),
        ...turns(1, 2),
        reports(1, 1, 1),
        reports(2, 2, 0.25, { thread: "another", at: at + dayMillis })
      ])
      assert.deepStrictEqual(yield* costsRead, {
        turns: [usd(1), usd(0.25)],
        session: usd(1.25),
        days: [
          ["2023-11-14", usd(1)],
          ["2023-11-15", usd(0.25)]
        ]
      })
    }).pipe(inLedger)
  )

  it.effect("there is no cost where the report is not a valid cost, or is outside of any turn", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([opened(), ...turns(1)])
      yield* ledger.write([
        reports(1, null, 5),
        reports(2, 1, -1),
        reports(3, 1, "much"),
        reports(4, 1, 1, { currency: "dollars" })
      ])
      assert.deepStrictEqual(yield* costsRead, { turns: [null], session: null, days: [] })
      // What was reported outside is included in the total of the next turn.
      yield* ledger.write([reports(5, 1, 6)])
      assert.deepStrictEqual((yield* costsRead).session, usd(6))
    }).pipe(inLedger)
  )

  it.effect("the costs of a day stay when their session is removed", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([opened(), ...turns(1), reports(1, 1, 2)])
      yield* ledger.remove([id], [])
      const query = { from: 0, to: at + dayMillis }
      assert.deepStrictEqual(yield* ledger.costs({ app, ...query }), [
        { day: "2023-11-14", app, agent: "demo", cost: usd(2) }
      ])
    }).pipe(inLedger)
  )
}
