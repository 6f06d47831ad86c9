/** Measures how this node is. */
import { Clock, Effect } from "effect"
import { Processes } from "../agent/Processes.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"
import type { NodeState } from "./NodeState.ts"
import { Spares } from "./Spares.ts"

/** A ledger that takes longer is away, for who looks. */
const answersWithin = "1 second"

export const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const commandHandler = yield* CommandHandler
  const ledger = yield* Ledger
  const processes = yield* Processes
  const slots = yield* ProcessSlots
  const spares = yield* Spares
  const { token } = yield* ThisNode

  const ledgerMillis = Effect.gen(function* () {
    const before = yield* Clock.monotonicTimeNanos
    yield* ledger.node(token)
    return Number((yield* Clock.monotonicTimeNanos) - before) / 1e6
  }).pipe(
    Effect.timeout(answersWithin),
    Effect.orElseSucceed(() => null)
  )

  return Effect.gen(function* () {
    const ofSessions = commandHandler.sessionsWithProcess().flatMap((session) => commandHandler.lease(session) ?? [])
    const leases = [...ofSessions, ...spares.views().map(({ lease }) => lease)]
    const uses = leases.length === 0 ? new Map() : yield* processes.use(leases)
    const state: NodeState = {
      slots: slots.counts(),
      spares: slots.spares(),
      rssBytes: process.memoryUsage.rss(),
      agentsRssBytes: uses.values().reduce((sum, { rssBytes }) => sum + rssBytes, 0),
      circuits: breaker.open(yield* Clock.currentTimeMillis),
      ledgerMillis: yield* ledgerMillis
    }
    return state
  })
})
