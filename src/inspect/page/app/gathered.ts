/** A request that many events ask for: one at a time, and one more where something came meanwhile. */
import { signal } from "@preact/signals"
import type { ReadonlySignal } from "@preact/signals"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { leaveWhereRefused } from "../store.ts"

export interface Gathered {
  readonly refresh: () => Promise<void>
  /** With all that comes within the time. */
  readonly refreshSoon: () => void
  /** Of the last request. */
  readonly problem: ReadonlySignal<Problem | undefined>
}

export const gathered = (request: () => Promise<void>, gatherMillis: number): Gathered => {
  const problem = signal<Problem | undefined>(undefined)
  let isAsking = false
  let isStale = false
  let gathering: ReturnType<typeof setTimeout> | undefined

  const refresh = async (): Promise<void> => {
    if (isAsking) {
      isStale = true
      return
    }
    isAsking = true
    isStale = false
    try {
      await request()
      problem.value = undefined
    } catch (cause) {
      problem.value = problemFrom(cause)
      leaveWhereRefused(problem.value)
    }
    isAsking = false
    if (isStale) refreshSoon()
  }

  // From the first on: where something always comes, it is asked for all the same.
  const refreshSoon = () => {
    gathering ??= setTimeout(() => {
      gathering = undefined
      void refresh()
    }, gatherMillis)
  }

  return { refresh, refreshSoon, problem }
}
