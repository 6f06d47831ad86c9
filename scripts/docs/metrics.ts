/** docs/metrics.md: the metrics that `/metrics` has. Read off the source, where each is defined in one place. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { code, table } from "./blocks.ts"

const sources = [
  "src/runtime/TurnMeters.ts",
  "src/runtime/Metrics.ts",
  "src/runtime/gauges.ts",
  "src/ledger/sql/commitMetrics.ts",
  "src/http/requestMetrics.ts",
  "src/http/streamMetrics.ts",
  "src/runtime/processMetrics.ts"
]
const text = sources.map((file) => readFileSync(join(import.meta.dirname, "..", "..", file), "utf8")).join("\n")

export const metrics = [
  ...text.matchAll(/Metric\.(counter|gauge|histogram)\("([^"]+)",\s*\{\s*description:\s*"([^"]+)"/g)
].map(([, type = "", name = "", does = ""]) => ({ type, name, does }))

/** The names of the samples: a histogram has three. */
export const samples = new Set(
  metrics.flatMap(({ name, type }) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name]
  )
)

export const metricBlocks = {
  metrics: table(
    ["metric", "type", "what it says"],
    metrics.map(({ does, name, type }) => [code(name), type, does])
  )
}
