/**
 * All approvals that wait, of all sessions that the reader sees. Asked for anew when a step says that something was
 * asked, answered or given up; the badge in the header reads it too.
 */
import { computed, effect, signal } from "@preact/signals"
import type { Approval } from "../../contract.ts"
import { listen } from "../app/serverStatus.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { api, me } from "../store.ts"
import { touchesApprovals } from "./words.ts"

/** `undefined`: not fetched yet. */
export const pending = signal<ReadonlyArray<Approval> | undefined>(undefined)
export const pendingCount = computed(() => pending.value?.length ?? 0)
export const problem = signal<Problem | undefined>(undefined)

/** Many questions at once are one request. */
const gatherMillis = 250

let isAsking = false
let isStale = false
let gathering: ReturnType<typeof setTimeout> | undefined

export const refresh = async (): Promise<void> => {
  if (isAsking) {
    isStale = true
    return
  }
  isAsking = true
  isStale = false
  try {
    const { approvals } = await api.approvals()
    if (me.value !== null) pending.value = approvals
    problem.value = undefined
  } catch (cause) {
    problem.value = problemFrom(cause)
    if (problem.value.status === 401) me.value = null
  }
  isAsking = false
  if (isStale) refreshSoon()
}

const refreshSoon = () => {
  clearTimeout(gathering)
  gathering = setTimeout(() => void refresh(), gatherMillis)
}

listen((message) => {
  if (message.type === "step" ? touchesApprovals(message.step) : true) refreshSoon()
})

effect(() => {
  if (me.value === null) pending.value = undefined
})
