/** Tells the other nodes how much this one has to do, with each renewal of its lease: they place sessions by it. */
import { Effect } from "effect"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"

/** With the next renewal it is told anyway. */
const firstWithin = "1 second"

export const tellLoad = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const slots = yield* ProcessSlots
  const { loadIs, renew } = yield* ThisNode
  loadIs((now) => ({ ...slots.counts(), broken: breaker.open(now).map(({ agent }) => agent) }))
  // A node of which nothing is known is taken for full.
  yield* Effect.timeoutOption(renew, firstWithin)
})
