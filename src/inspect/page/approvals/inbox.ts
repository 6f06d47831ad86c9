/** All approvals that wait, of all sessions that the reader sees; kept up to date by the steps of the house. */
import { computed, signal } from "@preact/signals"
import type { Approval } from "../../contract.ts"

export const pending = signal<ReadonlyArray<Approval>>([])
export const pendingCount = computed(() => pending.value.length)
