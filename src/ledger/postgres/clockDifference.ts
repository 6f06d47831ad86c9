/** How far this machine's clock is from the database's, and what is too far. */

export interface ClockDifference {
  /** How much this machine's clock is ahead. */
  readonly aheadMillis: number
  /** It may be so much more or less: half of the way to the database and back. */
  readonly marginMillis: number
}

/** A node's timers go by its own clock, and others refuse its calls where the clocks differ by 30 s. */
export const mostMillis = 5_000

export const isOff = ({ aheadMillis, marginMillis }: ClockDifference): boolean =>
  Math.abs(aheadMillis) - marginMillis > mostMillis

export const inWords = (aheadMillis: number): string =>
  `${(Math.abs(aheadMillis) / 1000).toFixed(1)} s ${aheadMillis > 0 ? "ahead of" : "behind"} the database's`
