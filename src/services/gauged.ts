/** What `/metrics` shows of this moment, beside the counts of `Operator`. Every read is bounded by what is at work or has failed. */
import { Clock, Effect } from "effect"
import manifest from "../../package.json" with { type: "json" }
import { Nodes } from "../cluster/Nodes.ts"
import type { AttentionKind } from "../domain/attention.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Gauged } from "../runtime/gauges.ts"
import { appLabel } from "../runtime/TurnMeters.ts"
import * as AttentionOf from "./inspection/attention.ts"

const dayMillis = 86_400_000
const none: Readonly<Record<AttentionKind, number>> = {
  asked: 0,
  parked: 0,
  unknown: 0,
  failed: 0,
  silent: 0,
  queued: 0,
  circuit: 0
}

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const nodes = yield* Nodes
  const attention = yield* AttentionOf.make

  /** Apps that share a label are one. */
  const costs = Effect.fnUntraced(function* (now: number) {
    const today = Math.floor(now / dayMillis) * dayMillis
    const sums = new Map<string, Gauged["costs"][number]>()
    for (const { agent, app, cost } of yield* ledger.costs({ app: null, from: today, to: now + 1 })) {
      const one = { agent, app: appLabel(app), currency: cost.currency }
      const key = JSON.stringify(one)
      sums.set(key, { ...one, amount: cost.amount + (sums.get(key)?.amount ?? 0) })
    }
    return [...sums.values()]
  })

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { agentsRssBytes } = yield* nodes.state
    const { found } = yield* attention({ _tag: "Admin" })
    const [oldest] = yield* ledger.inbox(null, 1)
    const { bytes, walBytes } = yield* ledger.size
    const gauged: Gauged = {
      substates: yield* ledger.substateCounts(null),
      attention: found.reduce((counts, { kind }) => ({ ...counts, [kind]: counts[kind] + 1 }), none),
      oldestApprovalMillis: oldest === undefined ? null : Math.max(0, now - oldest.createdAt),
      agentsRssBytes,
      costs: yield* costs(now),
      ledgerBytes: bytes,
      walBytes,
      version: manifest.version
    }
    return gauged
  }).pipe(
    Effect.catchTag("LedgerError", (cause) => Effect.fail(new Unavailable({ operation: "measure the ledger", cause })))
  )
})
