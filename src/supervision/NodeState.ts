/** How a node is at the moment, as far as it alone knows: its process slots, memory, circuits and way to the ledger. */
import { Schema } from "effect"

export const NodeState = Schema.Struct({
  slots: Schema.Struct({ held: Schema.Int, size: Schema.Int, waiting: Schema.Int }),
  /** Agents' processes that wait for a session. Absent: its version has none. */
  spares: Schema.optionalKey(Schema.Int),
  /** Memory in RAM: of its Troupe, and of all that its leases hold together. */
  rssBytes: Schema.Finite,
  agentsRssBytes: Schema.Finite,
  /** `OpenCircuit` of `CircuitBreaker.ts`. */
  circuits: Schema.Array(Schema.Struct({ agent: Schema.String, until: Schema.Finite, reason: Schema.String })),
  /** How long the ledger takes to read one row; `null`: it does not answer. */
  ledgerMillis: Schema.NullOr(Schema.Finite)
})
export type NodeState = typeof NodeState.Type
