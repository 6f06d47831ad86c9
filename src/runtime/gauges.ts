/**
 * Gauges that are read when `/metrics` is, beside those of `Metrics.ts`. A label that has gone (a substate that nothing is in) is
 * shown as 0 from then on, as an alert on it needs.
 */
import { Effect, Metric } from "effect"
import type { Context } from "effect"
import type { AttentionKind } from "../domain/attention.ts"

const substates = Metric.gauge("troupe_session_substates", {
  description: "Open sessions, by state and substate."
})
const needsAttention = Metric.gauge("troupe_needs_attention", {
  description:
    "What the dashboard's home shows, by kind: asked, parked, unknown, failed, silent, queued, circuit. 500 at most."
})
const oldestApproval = Metric.gauge("troupe_oldest_approval_seconds", {
  description: "How long the oldest question of an agent has waited for a person; 0: none waits."
})
const agentsRss = Metric.gauge("troupe_agents_rss_bytes", {
  description: "Memory (resident) of all agents' processes and of all that they started."
})
const costToday = Metric.gauge("troupe_cost_today", {
  description: "What turns that began to report their cost since midnight (UTC) cost, by agent, app and currency."
})
const ledgerBytes = Metric.gauge("troupe_ledger_bytes", {
  description: "Size of the ledger: its file, or its database."
})
const walBytes = Metric.gauge("troupe_ledger_wal_bytes", {
  description: "Size of the write-ahead log of a ledger in a file; 0 of one in PostgreSQL."
})
const build = Metric.gauge("troupe_build_info", { description: "1, with the versions of Troupe and Node." })

type Labels = Readonly<Record<string, string>>
interface Labelled {
  readonly labels: Labels
  readonly value: number
}

/** What is not among the values any more is set to 0. */
const setter = (gauge: Metric.Gauge<number>) => {
  const known = new Map<string, Labels>()
  return (values: ReadonlyArray<Labelled>, context: Context.Context<never>): void => {
    const rest = new Map(known)
    for (const { labels, value } of values) {
      const key = JSON.stringify(labels)
      known.set(key, labels)
      rest.delete(key)
      Metric.withAttributes(gauge, labels).updateUnsafe(value, context)
    }
    for (const labels of rest.values()) Metric.withAttributes(gauge, labels).updateUnsafe(0, context)
  }
}

export interface Gauged {
  readonly substates: Readonly<Record<string, number>>
  readonly attention: Readonly<Record<AttentionKind, number>>
  /** `null`: none waits. */
  readonly oldestApprovalMillis: number | null
  readonly agentsRssBytes: number
  readonly costs: ReadonlyArray<{
    readonly agent: string
    readonly app: string
    readonly currency: string
    readonly amount: number
  }>
  readonly ledgerBytes: number
  readonly walBytes: number
  readonly version: string
}

export const make = Effect.map(Effect.context<never>(), (context) => {
  const setSubstates = setter(substates)
  const setAttention = setter(needsAttention)
  const setCosts = setter(costToday)
  const one = (gauge: Metric.Gauge<number>, value: number) => gauge.updateUnsafe(value, context)
  return (gauged: Gauged): void => {
    setSubstates(
      Object.entries(gauged.substates).map(([substate, value]) => ({
        labels: { state: substate.split(".", 1)[0] ?? substate, substate },
        value
      })),
      context
    )
    setAttention(
      Object.entries(gauged.attention).map(([kind, value]) => ({ labels: { kind }, value })),
      context
    )
    setCosts(
      gauged.costs.map(({ amount: value, ...labels }) => ({ labels, value })),
      context
    )
    one(oldestApproval, (gauged.oldestApprovalMillis ?? 0) / 1000)
    one(agentsRss, gauged.agentsRssBytes)
    one(ledgerBytes, gauged.ledgerBytes)
    one(walBytes, gauged.walBytes)
    Metric.withAttributes(build, { version: gauged.version, node: process.versions.node }).updateUnsafe(1, context)
  }
})
