/** How long commits take, for `/metrics`. */
import { Effect, Metric } from "effect"

const commitSeconds = Metric.histogram("troupe_ledger_commit_seconds", {
  description: "How long a commit of the ledger took that was stored; several writes share one.",
  boundaries: [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
})

export const commitMeter = Effect.map(
  Effect.context<never>(),
  (context) =>
    (millis: number): void =>
      commitSeconds.updateUnsafe(millis / 1000, context)
)
