/** This Troupe as one of several nodes: which claim is its own. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { NodeToken } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { DrainState } from "../../src/runtime/DrainState.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { id, opened } from "../ledger/samples.ts"

const leaseMillis = 60_000
const other = NodeToken.make("node_other")

/** What happens between the moment at which a claim is stored, and that at which its node hears of it. */
const ledgerWith = (
  meanwhile: (claim: Extract<LedgerWrite, { _tag: "SessionClaimed" }>) => ReadonlyArray<LedgerWrite>
) =>
  Layer.effect(
    Ledger,
    Effect.map(Ledger, (ledger) =>
      Ledger.of({
        ...ledger,
        write: (entries) =>
          Effect.tap(ledger.write(entries), () => {
            const claim = entries.find((entry) => entry._tag === "SessionClaimed")
            return claim === undefined ? Effect.void : ledger.write(meanwhile(claim))
          })
      })
    )
  ).pipe(Layer.provide(SqliteLedger.layer(":memory:")))

const claimed = (ledger: ReturnType<typeof ledgerWith>) =>
  Effect.gen(function* () {
    const { write } = yield* Ledger
    yield* write([
      { _tag: "NodeJoined", node: { token: other, name: "other", url: null, version: "1" }, leaseMillis },
      opened()
    ])
    return yield* Effect.exit((yield* ThisNode).claim(id))
  }).pipe(
    Effect.provide(
      ThisNode.layer.pipe(
        Layer.provideMerge(
          Layer.mergeAll(
            ledger,
            DrainState.layer,
            Layer.mock(Processes)({
              bootId: "boot",
              self: { pid: 1, startTime: "1", pidNamespace: null },
              mayRunUntil: () => Effect.void
            }),
            Layer.succeed(RuntimeSettings, {
              dataDir: ":memory:",
              limits: defaultLimits,
              node: { name: "this", url: null, version: "1", leaseMillis },
              agents: {},
              defaultAgent: null,
              run: {}
            })
          )
        )
      )
    )
  )

it.effect("a claim that another node's has followed is not its own, nor is one that was let go of", () =>
  Effect.gen(function* () {
    const followed = yield* claimed(
      ledgerWith(({ owner, session }) => [
        { _tag: "NodeLeft", token: owner },
        { _tag: "SessionClaimed", session, owner: other }
      ])
    )
    const letGo = yield* claimed(
      ledgerWith(({ owner, session }) => [{ _tag: "SessionReleased", claim: { session, owner, epoch: 1 } }])
    )
    for (const exit of [followed, letGo]) {
      assert.match(String(exit), /could not claim the session: it is another's by now/)
    }
    const own = yield* claimed(ledgerWith(() => []))
    assert.deepInclude(own, { _tag: "Success" })
  })
)
