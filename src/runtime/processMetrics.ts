/** Numbers of Troupe's own process, under the names that Prometheus' client libraries give them. */
import { Effect, Metric } from "effect"
import { readdirSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"

const cpu = Metric.counter("process_cpu_seconds_total", {
  description: "Processor time of Troupe's process, without its agents.",
  incremental: true
})
const rss = Metric.gauge("process_resident_memory_bytes", {
  description: "Memory (resident) of Troupe's process, without its agents."
})
const heap = Metric.gauge("nodejs_heap_size_used_bytes", { description: "JavaScript heap that is used." })
const started = Metric.gauge("process_start_time_seconds", {
  description: "When Troupe's process was started, in seconds since 1970."
})
const files = Metric.gauge("process_open_fds", { description: "Open file descriptors of Troupe's process. On Linux." })
const lag = Metric.gauge("nodejs_eventloop_lag_seconds", {
  description: "How long what was due had to wait for Node's loop since the last read of /metrics, by quantile."
})

const resolutionMillis = 20
const quantiles = { 50: "0.5", 99: "0.99", 100: "1" } as const

/** Updates them all. Until the scope closes the loop is watched. */
export const make = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const delays = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const delays = monitorEventLoopDelay({ resolution: resolutionMillis })
      delays.enable()
      return delays
    }),
    (delays) => Effect.sync(() => delays.disable())
  )
  let cpuSeconds = 0
  return () => {
    const { system, user } = process.cpuUsage()
    const seconds = (system + user) / 1e6
    cpu.updateUnsafe(seconds - cpuSeconds, context)
    cpuSeconds = seconds
    const { heapUsed, rss: resident } = process.memoryUsage()
    rss.updateUnsafe(resident, context)
    heap.updateUnsafe(heapUsed, context)
    started.updateUnsafe(Date.now() / 1000 - process.uptime(), context)
    files.updateUnsafe(openFiles(), context)
    for (const [percent, quantile] of Object.entries(quantiles)) {
      const nanos = delays.count === 0 ? 0 : delays.percentile(Number(percent))
      // The monitor's own pace is no lag.
      const seconds = Math.max(0, nanos / 1e9 - resolutionMillis / 1000)
      Metric.withAttributes(lag, { quantile }).updateUnsafe(seconds, context)
    }
    delays.reset()
  }
})

const openFiles = (): number => {
  try {
    return readdirSync("/proc/self/fd").length
  } catch {
    return 0
  }
}
