/** The restart budget as a strip of time: two periods up to a moment, of which the second counts, and the deaths on it. */
import type { Budget } from "../../../sessionContract.ts"

export interface Death {
  readonly at: number
  /** 0 is two periods before, 1 is the moment. What is older is at 0. */
  readonly x: number
  /** It counts still. */
  readonly counts: boolean
}

/** `older`: those that the budget has no longer. */
export const deathsOn = (
  { deaths, period_seconds }: Budget,
  older: ReadonlyArray<number>,
  now: number
): ReadonlyArray<Death> =>
  [...older, ...deaths].map((at) => {
    const x = 1 - (now - at) / (2 * period_seconds)
    return { at, x: Math.min(1, Math.max(0, x)), counts: now - at < period_seconds }
  })

/** What is left of a wait that ends at `until`, of 1. */
export const leftOfWait = (seconds: number, until: number, now: number): number =>
  seconds <= 0 ? 0 : Math.min(1, Math.max(0, (until - now) / seconds))
