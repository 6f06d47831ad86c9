/** The shortest list of steps that still violates the same invariant, by leaving out ever smaller pieces. */
import type { PlanStep } from "./plan.ts"
import { simulate } from "./simulate.ts"

/** More attempts gain little. */
const mostAttempts = 400

export const shrink = (
  seed: number,
  plan: ReadonlyArray<PlanStep>,
  invariant: string,
  nodes: number
): ReadonlyArray<PlanStep> => {
  let shortest = plan
  let attempts = 0
  for (let size = Math.ceil(plan.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length && attempts < mostAttempts;) {
      const shorter = shortest.toSpliced(at, size)
      attempts++
      if (simulate(seed, shorter.length, shorter, nodes).violation?.invariant === invariant) shortest = shorter
      else at += size
    }
  }
  return shortest
}
