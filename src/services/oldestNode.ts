/** What only one of several nodes does is done by the oldest of those that live and go on. */
import { Effect } from "effect"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { ThisNode } from "../runtime/ThisNode.ts"

/** Whether it is this one. */
export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const thisNode = yield* ThisNode
  const isOldest: Effect.Effect<boolean, LedgerError> = thisNode.isAlone
    ? Effect.succeed(true)
    : Effect.map(ledger.nodes, (nodes) => {
        const { token } = nodes.find(({ draining }) => !draining) ?? nodes[0] ?? thisNode
        return token === thisNode.token
      })
  return isOldest
})
