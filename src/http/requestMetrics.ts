/** Counts and times the requests that were answered, for `/metrics`. No label holds a path or a session's id. */
import { Metric } from "effect"
import type { Context } from "effect"
import { labelled } from "../domain/labelled.ts"

/** Seconds, from a fast answer to the longest turn that is allowed: a request may wait for its turn's end. */
const secondsBuckets = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]

const requestsTotal = labelled(
  (attributes: { readonly route: string; readonly method: string; readonly status: string }) =>
    Metric.counter("troupe_http_requests_total", {
      description: "Requests answered, by route, method and status.",
      incremental: true,
      attributes
    })
)
const requestSeconds = labelled((attributes: { readonly route: string }) =>
  Metric.histogram("troupe_http_request_duration_seconds", {
    description: "From a request's arrival to its answer's headers, by route.",
    boundaries: secondsBuckets,
    attributes
  })
)

/**
 * Counts one answer. `route` is the contract's pattern, never the path: with Node's methods and our statuses the labels have few
 * values, so the metrics are bounded by their product.
 */
export const countAnswer = (
  context: Context.Context<never>,
  method: string,
  route: string,
  status: number,
  millis: number
): void => {
  requestsTotal({ route, method, status: String(status) }).updateUnsafe(1, context)
  requestSeconds({ route }).updateUnsafe(millis / 1000, context)
}
