/** The restart budget as it stands now: which deaths still count, what is left, and what is waited for because of them. */
import type { SessionBounds, SessionContext } from "../../../machines/session/machine.ts"
import type { Budget } from "../contract.ts"

export type RestartBounds = Pick<SessionBounds, "restartIntensity" | "restartPeriodMillis">

export interface ArmedUntil {
  readonly backoff: number | null
  readonly parkFor: number | null
}

/** Times come in milliseconds and leave in seconds. */
export const budgetOf = (
  { limit, reason, restarts }: Pick<SessionContext, "limit" | "reason" | "restarts">,
  substate: string,
  { restartIntensity, restartPeriodMillis }: RestartBounds,
  due: ArmedUntil,
  now: number
): Budget => {
  const deaths = restarts.exits.filter((at) => now - at < restartPeriodMillis)
  // A turn that waits in line for a slot waits for the backoff too, without a timer of its own.
  const until = due.backoff ?? (substate === "turning.queued" && restarts.retryAt > now ? restarts.retryAt : null)
  const isParked = substate === "idle.parked"
  return {
    intensity: restartIntensity,
    period_seconds: restartPeriodMillis / 1000,
    deaths: deaths.map((at) => at / 1000),
    // Parked for its account's limit, it has died of nothing.
    left: isParked && limit.pauseMillis === 0 ? 0 : Math.max(0, restartIntensity - deaths.length),
    backoff: until === null ? null : { seconds: restarts.backoffMillis / 1000, until: until / 1000 },
    parked: isParked ? { reason, until: (due.parkFor ?? now) / 1000 } : null
  }
}
