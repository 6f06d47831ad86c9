/** The restart budget as a strip of time: the period up to now, and the deaths on it. */
import type { Budget } from "../../../sessionContract.ts"

export interface Death {
  readonly at: number
  /** 0 is a whole period ago, 1 is now. */
  readonly x: number
  /** It counts still. */
  readonly counts: boolean
}

export const deathsOn = ({ deaths, period_seconds }: Budget, now: number): ReadonlyArray<Death> =>
  deaths.map((at) => {
    const x = 1 - (now - at) / period_seconds
    return { at, x: Math.min(1, Math.max(0, x)), counts: x > 0 }
  })

/** What is left of a wait that ends at `until`, of 1. */
export const leftOfWait = (seconds: number, until: number, now: number): number =>
  seconds <= 0 ? 0 : Math.min(1, Math.max(0, (until - now) / seconds))
