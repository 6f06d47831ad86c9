/**
 * All approvals that wait, of all sessions that the reader sees. Asked for anew when a step says that something was
 * asked, answered or given up; the badge in the header reads it too.
 */
import { computed, effect, signal } from "@preact/signals"
import type { Approval } from "../../contract.ts"
import { gathered } from "../app/gathered.ts"
import { listen } from "../app/serverStatus.ts"
import { api, me } from "../store.ts"
import { touchesApprovals } from "./words.ts"

/** `undefined`: not fetched yet. */
export const pending = signal<ReadonlyArray<Approval> | undefined>(undefined)
export const pendingCount = computed(() => pending.value?.length ?? 0)

/** Many questions at once are one request. */
const gatherMillis = 250

const asked = gathered(async () => {
  const { approvals } = await api.approvals()
  if (me.value !== null) pending.value = approvals
}, gatherMillis)
export const { problem, refresh } = asked

listen((message) => {
  if (message.type === "step" ? touchesApprovals(message.step) : true) asked.refreshSoon()
})

effect(() => {
  if (me.value === null) pending.value = undefined
})
