/** A statement that took place and failed all the same leaves no transaction open, in which every later one would fail. */
// First: see there.
import * as Faults from "./faults.ts"
import { afterAll, assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { eventAppended, id, opened, scratchFile } from "../ledger/samples.ts"

afterAll(Faults.uninstall)

it.live("the ledger stores once what was to be written when the answer to its BEGIN was lost", () =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    yield* Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.write([opened()])
      Faults.arm("ledger write", 1, "answer lost")
      yield* ledger.write([eventAppended(1)])
      assert.strictEqual(Faults.disarm().failed, "BEGIN IMMEDIATE")
      yield* ledger.ping
      yield* ledger.write([eventAppended(2)])
      assert.deepStrictEqual(
        (yield* ledger.events(id, 0, 10)).map(({ seq }) => seq),
        [1, 2]
      )
    }).pipe(Effect.provide(SqliteLedger.layer(filename)))
  }).pipe(Effect.scoped)
)
