/** Notices of a real ledger's writes, for tests that wait for a row. */
import { Context, Effect, Layer } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { makeNotices } from "../until.ts"
import type { Observe } from "../until.ts"

export class LedgerWrites extends Context.Service<LedgerWrites, { readonly observe: Observe }>()("test/LedgerWrites") {}

/** The same ledger. A notice comes after each commit, and after each write that the ledger has accepted for later. */
export const withNotices = <E, R>(ledger: Layer.Layer<Ledger, E, R>): Layer.Layer<Ledger | LedgerWrites, E, R> =>
  Layer.effectContext(
    Effect.map(Ledger, (real) => {
      const { notify, observe } = makeNotices()
      const noticed = <A, F, S>(write: Effect.Effect<A, F, S>) => Effect.tap(write, () => Effect.sync(notify))
      const observed = Ledger.of({
        ...real,
        write: (entries) => noticed(real.write(entries)),
        writeLater: (entries) => noticed(real.writeLater(entries)),
        remove: (ids, lines) => noticed(real.remove(ids, lines))
      })
      return Context.make(Ledger, observed).pipe(Context.add(LedgerWrites, { observe }))
    })
  ).pipe(Layer.provide(ledger))
