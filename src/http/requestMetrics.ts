/** Counts and times the requests that were answered, for `/metrics`. No label holds a path or a session's id. */
import { Metric } from "effect"
import type { Context } from "effect"

/** Seconds, from a fast answer to the longest turn that is allowed: a request may wait for its turn's end. */
const secondsBuckets = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]

const requestsTotal = Metric.counter("troupe_http_requests_total", {
  description: "Requests answered, by route, method and status.",
  incremental: true
})
const requestSeconds = Metric.histogram("troupe_http_request_duration_seconds", {
  description: "From a request's arrival to its answer's headers, by route.",
  boundaries: secondsBuckets
})

/**
 * Makes the function that counts one answer. `route` is the contract's pattern, never the path: with Node's methods and
 * our statuses the labels have few values, so the map of labelled metrics is bounded by their product.
 */
export const makeRequestCounter = () => {
  const labelled = new Map<string, ReturnType<typeof metricsOf>>()
  return (context: Context.Context<never>, method: string, route: string, status: number, millis: number): void => {
    const key = `${method} ${route} ${status}`
    let metrics = labelled.get(key)
    if (metrics === undefined) {
      metrics = metricsOf(method, route, String(status))
      labelled.set(key, metrics)
    }
    metrics.count.updateUnsafe(1, context)
    metrics.seconds.updateUnsafe(millis / 1000, context)
  }
}

const metricsOf = (method: string, route: string, status: string) => ({
  count: Metric.withAttributes(requestsTotal, { route, method, status }),
  seconds: Metric.withAttributes(requestSeconds, { route })
})
