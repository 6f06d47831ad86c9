/**
 * What needs a person, as the server says it (`GET attention`): for the home page, the number in the header and the
 * browser's notifications. Asked for anew after steps of sessions and, since much of it comes by time alone, now and then.
 */
import { computed, effect, signal } from "@preact/signals"
import type { AttentionItem, Attentions } from "../../contract.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { listen } from "../app/serverStatus.ts"
import { api, me } from "../store.ts"
import { isNotifying, notifyOf } from "./notifications.ts"
import { isSeen } from "./seen.ts"

/** `undefined`: not fetched yet. */
const latest = signal<Attentions | undefined>(undefined)
export const problem = signal<Problem | undefined>(undefined)

/** Without those that were seen in this browser. */
export const items = computed<ReadonlyArray<AttentionItem> | undefined>(() =>
  latest.value?.items.filter(({ key }) => !isSeen(key))
)
export const seenCount = computed(() => (latest.value?.items.length ?? 0) - (items.value?.length ?? 0))
export const isCut = computed(() => latest.value?.is_cut === true)
export const attentionCount = computed(() => items.value?.length ?? 0)

/** Many steps are one request. */
const gatherMillis = 1_000
/** What comes by time alone: a silence, a wait. */
const askMillis = 10_000

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
    const answer = await api.attention()
    if (me.value !== null) {
      notifyOf(latest.value?.items, answer.items)
      latest.value = answer
    }
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
  if (message.type !== "step" || message.step.event !== "waits") refreshSoon()
})

effect(() => {
  if (me.value === null) latest.value = undefined
  if (me.value === null || me.value === undefined) return
  void refresh()
  const timer = setInterval(() => {
    if (!document.hidden || isNotifying.peek()) void refresh()
  }, askMillis)
  return () => clearInterval(timer)
})
