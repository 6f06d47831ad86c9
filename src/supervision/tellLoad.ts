/** Tells the other nodes how much this one has to do, with each renewal of its lease: they place sessions by it. */
import { Effect } from "effect"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"

export const tellLoad = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const slots = yield* ProcessSlots
  const { loadIs } = yield* ThisNode
  loadIs((now) => ({ ...slots.counts(), broken: breaker.open(now).map(({ agent }) => agent) }))
})
