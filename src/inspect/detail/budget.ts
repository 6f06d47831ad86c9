/** The restart budget as of now: which deaths still count, how many are left, and which pause they have caused. */
import type { SessionBounds, SessionContext } from "../../../machines/session/machine.ts"
import { infoOf } from "../../../machines/session/stateInfo.ts"
import type { Budget } from "../sessionContract.ts"

export type RestartBounds = Pick<SessionBounds, "restartIntensity" | "restartPeriodMillis">

/** When the two timers of a pause are due; `null` where they are not armed. */
export interface PauseTimers {
  readonly backoff: number | null
  readonly parkFor: number | null
}

/** Parameters are in milliseconds, the result is in seconds. */
export const budgetOf = (
  { limit, reason, restarts }: Pick<SessionContext, "limit" | "reason" | "restarts">,
  substate: string,
  { restartIntensity, restartPeriodMillis }: RestartBounds,
  due: PauseTimers,
  now: number
): Budget => {
  const info = infoOf(substate)
  const deaths = restarts.exits.filter((at) => now - at < restartPeriodMillis)
  // A turn that waits for a slot waits for the backoff too, without a timer of its own.
  const until = due.backoff ?? (info?.waitsFor === "slot" && restarts.retryAt > now ? restarts.retryAt : null)
  const isParked = info?.process === "parked"
  return {
    intensity: restartIntensity,
    period_seconds: restartPeriodMillis / 1000,
    deaths: deaths.map((at) => at / 1000),
    // A session that is parked because its account is used up has its whole budget left.
    left: isParked && limit.pauseMillis === 0 ? 0 : Math.max(0, restartIntensity - deaths.length),
    backoff: until === null ? null : { seconds: restarts.backoffMillis / 1000, until: until / 1000 },
    parked: isParked ? { reason, until: (due.parkFor ?? now) / 1000 } : null
  }
}
