/**
 * The restart budget: OTP's intensity and period, counted over exits, and an exponential backoff with jitter.
 *
 * Exits are counted, not starts: a counter that each successful start resets never trips. The backoff is forgotten only
 * after proven uptime or a completed turn.
 */
export interface Restarts {
  /** When the process died, in milliseconds since 1970, oldest first; at most `intensity + 1` are kept. */
  readonly exits: ReadonlyArray<number>
  /** Deaths since the agent last proved itself. */
  readonly attempt: number
  /** How long to wait before the next start; 0 when nothing is to be waited for. */
  readonly backoffMillis: number
  /** The same as a time; what a turn that comes meanwhile waits for. */
  readonly retryAt: number
}

export interface Budget {
  /** More deaths than this within the period and the session is parked. */
  readonly intensity: number
  readonly periodMillis: number
}

export const noRestarts: Restarts = { exits: [], attempt: 0, backoffMillis: 0, retryAt: 0 }

const firstBackoffMillis = 250
const longestBackoffMillis = 30_000

/** `jitter` is a random number of [0, 1): up to a fifth is added, so that many sessions do not come back in one wave. */
export const afterDeath = (
  before: Restarts,
  budget: Budget,
  death: { readonly at: number; readonly jitter: number; readonly upSince: number | null }
): Restarts => {
  const proven = death.upSince !== null && death.at - death.upSince >= budget.periodMillis
  const attempt = proven ? 1 : before.attempt + 1
  const exits = [...before.exits, death.at]
    .filter((at) => death.at - at < budget.periodMillis)
    .slice(-(budget.intensity + 1))
  const plain = Math.min(firstBackoffMillis * 2 ** (attempt - 1), longestBackoffMillis)
  const backoffMillis = Math.round(plain * (1 + 0.2 * death.jitter))
  return { exits, attempt, backoffMillis, retryAt: death.at + backoffMillis }
}

/** The exits kept are those of the window that ended with the last one. */
export const overBudget = (restarts: Restarts, budget: Budget): boolean => restarts.exits.length > budget.intensity
