/** A session's restarts and processes as they were at a moment: from its steps, and from what is known to have been then. */
import { budgetOf } from "../../../detail/budget.ts"
import type { Budget, Detail, ProcessSpan } from "../../../sessionContract.ts"
import type { Store } from "../store.ts"
import { armedAfter } from "./timers.ts"

/** The moment that is shown, in seconds. */
export const timeShown = (store: Store, now: number): number =>
  store.isLive.value
    ? now
    : (store.pointed.value ?? store.last.value?.step.at ?? store.detail.value?.session.created_at ?? now)

export const budgetThen = (store: Store, { budget }: Detail, at: number): Budget => {
  if (store.isLive.value) return budget
  const armed = armedAfter(store.steps.value, store.moment.value)
  const due = (timer: string) => {
    const found = armed.find(({ name }) => name === timer)
    return found === undefined ? null : found.dueAt * 1_000
  }
  const bounds = { restartIntensity: budget.intensity, restartPeriodMillis: budget.period_seconds * 1_000 }
  const timers = { backoff: due("backoff"), parkFor: due("parkFor") }
  return budgetOf(store.snapshot.value.context, store.active.value, bounds, timers, at * 1_000)
}

/** Those that had been started, and of the ends of those only what had happened. */
export const processesThen = (processes: ReadonlyArray<ProcessSpan>, at: number): ReadonlyArray<ProcessSpan> =>
  processes.flatMap((span) => {
    if (span.started_at > at) return []
    const isOver = span.ended_at !== null && span.ended_at <= at
    return [isOver ? span : { ...span, ended_at: null, exit: null, is_failure: false, death: null }]
  })

/** When processes failed that no longer count against the budget. */
export const olderDeaths = (
  processes: ReadonlyArray<ProcessSpan>,
  { period_seconds }: Budget,
  at: number
): ReadonlyArray<number> =>
  processes.flatMap(({ ended_at, is_failure }) =>
    is_failure && ended_at !== null && at - ended_at >= period_seconds ? [ended_at] : []
  )
