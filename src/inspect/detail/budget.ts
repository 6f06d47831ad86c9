/** The restart budget as it stands now: which deaths still count, what is left, and what is waited for because of them. */
import type { SessionContext } from "../../../machines/session/machine.ts"
import type { Budget } from "../contract.ts"

export interface Bounds {
  readonly intensity: number
  readonly periodMillis: number
}

export interface ArmedUntil {
  readonly backoff: number | null
  readonly parkFor: number | null
}

/** Times come in milliseconds and leave in seconds. */
export const budgetOf = (
  { limit, reason, restarts }: Pick<SessionContext, "limit" | "reason" | "restarts">,
  substate: string,
  { intensity, periodMillis }: Bounds,
  due: ArmedUntil,
  now: number
): Budget => {
  const deaths = restarts.exits.filter((at) => now - at < periodMillis)
  // A turn that waits in line for a slot waits for the backoff too, without a timer of its own.
  const until = due.backoff ?? (substate === "turning.queued" && restarts.retryAt > now ? restarts.retryAt : null)
  const isParked = substate === "idle.parked"
  return {
    intensity,
    period_seconds: periodMillis / 1000,
    deaths: deaths.map((at) => at / 1000),
    // Parked for its account's limit, it has died of nothing.
    left: isParked && limit.pauseMillis === 0 ? 0 : Math.max(0, intensity - deaths.length),
    backoff: until === null ? null : { seconds: restarts.backoffMillis / 1000, until: until / 1000 },
    parked: isParked ? { reason, until: (due.parkFor ?? now) / 1000 } : null
  }
}
