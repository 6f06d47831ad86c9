/**
 * What is counted of an agent's turns for an app within some minutes, for the overview of the fleet. Tallies add up: of minutes, apps,
 * agents and nodes. Durations are histograms, of which a quantile is read to within a fifth.
 */
export interface Tally {
  /** Turns that ended, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Failed turns, by the failure's class. */
  readonly failures: Readonly<Record<string, number>>
  /** Processes that died, by class. */
  readonly deaths: Readonly<Record<string, number>>
  readonly restarts: number
  readonly tokens: number
  /** From submission to the end, from submission until there is a process, and of the starts of processes. */
  readonly duration: Histogram
  readonly wait: Histogram
  readonly start: Histogram
}

/** How many were within each bound, by the bound's number; none of those where nothing was. */
export type Histogram = Readonly<Record<string, number>>

export const emptyTally: Tally = {
  outcomes: {},
  failures: {},
  deaths: {},
  restarts: 0,
  tokens: 0,
  duration: {},
  wait: {},
  start: {}
}

const leastMillis = 10
/** Each bound is 1.2 of the one before; the last is more than a day. */
const growth = 1.2
const lastBound = 90

const boundOf = (millis: number): number =>
  millis <= leastMillis ? 0 : Math.min(lastBound, Math.ceil(Math.log(millis / leastMillis) / Math.log(growth)))

/** The upper bound of those of this number. */
const millisOf = (bound: number): number => leastMillis * growth ** bound

export const one = (millis: number): Histogram => ({ [boundOf(millis)]: 1 })

type Counts = Readonly<Record<string, number>>

const sums = (a: Counts, b: Counts | undefined): Counts => {
  if (b === undefined) return a
  const sum: Record<string, number> = { ...a }
  // Not `for (const key in b)`: V8's optimized code of it holds for one shape of `b`, and was made anew every 200 turns.
  for (const key of Object.keys(b)) sum[key] = (sum[key] ?? 0) + b[key]!
  return sum
}

export const added = (a: Tally, b: Partial<Tally>): Tally => ({
  outcomes: sums(a.outcomes, b.outcomes),
  failures: sums(a.failures, b.failures),
  deaths: sums(a.deaths, b.deaths),
  restarts: a.restarts + (b.restarts ?? 0),
  tokens: a.tokens + (b.tokens ?? 0),
  duration: sums(a.duration, b.duration),
  wait: sums(a.wait, b.wait),
  start: sums(a.start, b.start)
})

/** In milliseconds; `null`: there is nothing to say it of. */
export const quantile = (histogram: Histogram, q: number): number | null => {
  const bounds = Object.entries(histogram)
    .map(([bound, n]) => [Number(bound), n] as const)
    .toSorted(([a], [b]) => a - b)
  const rank = Math.ceil(bounds.reduce((sum, [, n]) => sum + n, 0) * q)
  let below = 0
  for (const [bound, n] of bounds) {
    below += n
    if (below >= rank) return millisOf(bound)
  }
  return null
}

/** Turns are counted in steps of five minutes. */
export const tallyStepMillis = 300_000

/** A tally as it is stored. */
export interface TallyRecord {
  /** When its five minutes began, in milliseconds since 1970. */
  readonly at: number
  /** Which start of Troupe has counted it: each has rows of its own. */
  readonly run: string
  readonly app: string
  readonly agent: string
  /** Of the agent; empty where it is not known. */
  readonly version: string
  readonly tally: Tally
}
