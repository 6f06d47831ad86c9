/**
 * What needs a person, as the server says it (`GET attention`): for the home page, the number in the header and the
 * browser's notifications. Asked for anew after steps of sessions and, since much of it comes by time alone, now and then.
 */
import { computed, effect, signal } from "@preact/signals"
import type { AttentionItem, Attentions } from "../../fleetContract.ts"
import { gathered } from "../app/gathered.ts"
import { listen } from "../app/serverStatus.ts"
import { api, me } from "../store.ts"
import { isNotifying, notifyOf } from "./notifications.ts"
import { isSeen } from "./seen.ts"

/** `undefined`: not fetched yet. */
const latest = signal<Attentions | undefined>(undefined)

/** Without those that were seen in this browser. */
export const items = computed<ReadonlyArray<AttentionItem> | undefined>(() =>
  latest.value?.items.filter(({ key }) => !isSeen(key))
)
export const seenCount = computed(() => (latest.value?.items.length ?? 0) - (items.value?.length ?? 0))
export const isCut = computed(() => latest.value?.is_cut === true)
/** What needs a person of each session, seen or not, for its row of the list. */
export const itemBySession = computed<ReadonlyMap<string, AttentionItem>>(
  () =>
    new Map(latest.value?.items.flatMap((item) => (item.session_id === null ? [] : [[item.session_id, item]])) ?? [])
)
export const attentionCount = computed(() => items.value?.length ?? 0)

/** Many steps are one request. */
const gatherMillis = 1_000
/** What comes by time alone: a silence, a wait. */
const askMillis = 10_000

const asked = gathered(async () => {
  const answer = await api.attention()
  if (me.value === null) return
  notifyOf(latest.value?.items, answer.items)
  latest.value = answer
}, gatherMillis)
export const { problem, refresh } = asked

listen((message) => {
  if (message.type !== "step" || message.step.event !== "waits") asked.refreshSoon()
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
