/** When a session went along an arrow: the last times up to a moment, the latest first. */
import type { Replayed } from "./replay.ts"

export interface Passage {
  /** The step's number, and how many steps there were with it. */
  readonly seq: number
  readonly count: number
  readonly at: number
  readonly event: string
}

export const mostPassages = 5

/** Looked for only where an arrow is pointed at: from the moment back. */
export const recentPassages = (
  steps: ReadonlyArray<Replayed>,
  moment: number,
  from: string,
  to: string
): ReadonlyArray<Passage> => {
  const found: Array<Passage> = []
  for (let count = Math.min(moment, steps.length); count > 0 && found.length < mostPassages; count--) {
    const replayed = steps[count - 1]
    const way = replayed?.taken.find((each) => each.from === from && each.to === to)
    if (replayed === undefined || way === undefined) continue
    found.push({ seq: replayed.step.seq, count, at: replayed.step.at, event: way.event })
  }
  return found
}
