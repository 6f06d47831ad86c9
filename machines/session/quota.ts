/**
 * The pause of a session whose agent's account is used up (failures of class `quota`).
 *
 * Where the agent said when the limit is lifted, until then; else longer and longer, because the turn that finds out
 * whether it is lifted may be lost to it. Forgotten with the first turn that ends well.
 */
export interface QuotaPause {
  /** Failures of this kind since the agent last completed a turn. */
  readonly failures: number
  /** How long nothing is handed over; 0 where nothing is in the way. */
  readonly pauseMillis: number
  /** The same as a time, in milliseconds since 1970. */
  readonly until: number
}

export const noPause: QuotaPause = { failures: 0, pauseMillis: 0, until: 0 }

const firstPauseMillis = 60_000
const longestPauseMillis = 3_600_000
/** A limit of a week is asked for once a day: whoever owns the account may have raised it meanwhile. */
const longestToldMillis = 24 * 3_600_000

/** `retryAt` is the agent's word, which counts where it lies ahead. */
export const paused = (before: QuotaPause, at: number, retryAt: number | undefined): QuotaPause => {
  const failures = before.failures + 1
  const guessed = Math.min(firstPauseMillis * 2 ** (failures - 1), longestPauseMillis)
  const told = retryAt === undefined ? 0 : Math.min(retryAt - at, longestToldMillis)
  const pauseMillis = Math.ceil(told > 0 ? told : guessed)
  return { failures, pauseMillis, until: at + pauseMillis }
}

/** The time has come: tried again, and not forgotten. */
export const lifted = (before: QuotaPause): QuotaPause => ({ ...before, pauseMillis: 0, until: 0 })
