/** Writes are all or nothing, a caller learns of its own failures only, and what was acknowledged is kept. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import { id, opened, eventAppended, session, step, turn } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const seqs = (ledger: Ledger["Service"]) =>
  Effect.map(ledger.events(id, 0, 1_000), (events) => events.map(({ seq }) => seq))

export const writing = ({ onLedger, emptyLedger }: LedgerUnderTest) => {
  it.effect("a write in which one entry fails stores none of its entries", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), eventAppended(1)])
        const error = yield* Effect.flip(
          ledger.write([
            { _tag: "SessionPatched", session: id, patch: { turnCount: 9 } },
            { _tag: "TurnInserted", record: turn() },
            eventAppended(2),
            eventAppended(1),
            { _tag: "StepAppended", step: step() }
          ])
        )
        assert.match(error.message, /could not write EventAppended of ses_.*unique/i)
        assert.deepStrictEqual(yield* ledger.session(id), Option.some(session()))
        assert.deepStrictEqual(yield* ledger.turns(id, 0, 10), [])
        assert.deepStrictEqual(yield* seqs(ledger), [1])
        assert.strictEqual(yield* ledger.lastStep(id), 0)
      })
    )
  )

  it.effect("callers that share a transaction each learn of their own failure only", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), eventAppended(1)])
        const exits = yield* Effect.forEach(
          [
            [eventAppended(2)],
            [eventAppended(3), eventAppended(1)],
            [eventAppended(4)],
            [eventAppended(1)],
            [eventAppended(5)]
          ],
          (entries) => Effect.exit(ledger.write(entries)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, false, true])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 4, 5])
      })
    )
  )

  it.effect("more callers can write at once than fit in the queue", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        const all = Array.from({ length: 3_000 }, (_, n) => n + 1)
        yield* Effect.forEach(all, (n) => ledger.write([eventAppended(n)]), { concurrency: "unbounded", discard: true })
        assert.strictEqual((yield* ledger.events(id, 0, 5_000)).length, 3_000)
      })
    )
  )

  it.effect("deferred entries are stored before those of the next write", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        yield* ledger.writeLater([eventAppended(1)])
        yield* ledger.writeLater([eventAppended(2)])
        assert.deepStrictEqual(yield* seqs(ledger), [])
        yield* ledger.write([eventAppended(3)])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 3])
      })
    )
  )

  it.effect("deferred entries are stored after 50 ms", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened()])
        for (const n of [1, 2]) {
          yield* ledger.writeLater([eventAppended(n)])
          yield* TestClock.adjust("49 millis")
          assert.strictEqual(yield* ledger.lastEvent(id), n - 1)
          yield* TestClock.adjust("1 millis")
          // The clock of the tests does not hurry a server. This one waits for ever where nothing is stored.
          yield* Effect.repeat(ledger.lastEvent(id), { until: (last) => last === n })
        }
      })
    )
  )

  it.effect("a deferred entry that can't be written is lost, and no other is", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), eventAppended(1)])
        yield* ledger.writeLater([eventAppended(1)])
        yield* ledger.writeLater([eventAppended(2)])
        yield* ledger.write([eventAppended(3)])
        assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 3])
      })
    )
  )

  it.effect("a ledger that is closed stores what is queued, and nothing after it", () =>
    Effect.gen(function* () {
      const layer = yield* emptyLedger
      const scope = yield* Scope.make()
      const ledger = Context.get(yield* Layer.buildWithScope(layer, scope), Ledger)
      yield* ledger.write([opened()])
      yield* ledger.writeLater([eventAppended(1)])
      const last = yield* Effect.forkChild(ledger.write([eventAppended(2)]))
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(last)
      assert.match((yield* Effect.flip(ledger.write([eventAppended(3)]))).message, /the ledger is closed/)
      const reopened = yield* Ledger.use(seqs).pipe(Effect.provide(layer))
      assert.deepStrictEqual(reopened, [1, 2])
    }).pipe(Effect.scoped)
  )

  it.effect("a ledger that is opened again has what was stored", () =>
    Effect.gen(function* () {
      const layer = yield* emptyLedger
      yield* Ledger.use((ledger) => ledger.write([opened(), eventAppended(1)])).pipe(Effect.provide(layer))
      yield* Ledger.use((ledger) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* ledger.session(id), Option.some(session()))
          assert.strictEqual(yield* ledger.lastEvent(id), 1)
          assert.strictEqual(yield* ledger.openSessions(null), 1)
        })
      ).pipe(Effect.provide(layer))
    }).pipe(Effect.scoped)
  )
}
