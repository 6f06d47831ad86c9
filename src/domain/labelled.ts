/**
 * Metrics with labels, one for each combination of their values. Effect computes the key of a series anew with each update of a
 * `Metric.withAttributes`, which costs more than the update. The values must be few: all are kept.
 */
type Labels = Readonly<Record<string, string>>

export const labelled = <L extends Labels, M>(make: (attributes: L) => M): ((attributes: L) => M) => {
  const made = new Map<string, M>()
  return (attributes) => {
    const key = Object.values(attributes).join("\n")
    let metric = made.get(key)
    if (metric === undefined) made.set(key, (metric = make(attributes)))
    return metric
  }
}
