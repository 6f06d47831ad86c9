/** How often a session went along each arrow of its chart, and stood in each state. */
import type { Replayed } from "./replay.ts"
import { keyOf } from "./takenWays.ts"

export interface Count {
  readonly all: number
  /** By `event [guard]`, as the chart has it. */
  readonly ways: ReadonlyMap<string, number>
}

export const wayKey = ({ event, guard }: { readonly event: string; readonly guard: string | null }): string =>
  guard === null ? event : `${event} [${guard}]`

/** By `from to`, over the first so many steps. */
export const countsAfter = (steps: ReadonlyArray<Replayed>, count: number): ReadonlyMap<string, Count> => {
  const counts = new Map<string, { all: number; ways: Map<string, number> }>()
  for (const { taken } of steps.slice(0, count)) {
    for (const way of taken) {
      const entry = counts.get(keyOf(way)) ?? { all: 0, ways: new Map<string, number>() }
      entry.all += 1
      entry.ways.set(wayKey(way), (entry.ways.get(wayKey(way)) ?? 0) + 1)
      counts.set(keyOf(way), entry)
    }
  }
  return counts
}

/** How often each state was entered, the first one by being born. */
export const visitsAfter = (steps: ReadonlyArray<Replayed>, count: number): ReadonlyMap<string, number> => {
  const visits = new Map<string, number>()
  const visit = (path: string) => visits.set(path, (visits.get(path) ?? 0) + 1)
  const [first] = steps
  if (first !== undefined) visit(first.step.from)
  for (const { step } of steps.slice(0, count)) if (step.from !== step.to) visit(step.to)
  return visits
}
