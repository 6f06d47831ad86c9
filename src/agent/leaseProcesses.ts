/** Finds the processes of leases in the kernel's table, by group or by marker, and ends them. */
import { Effect } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import { kernelSleep } from "./Child.ts"
import * as LeaseSearch from "./leaseSearch.ts"
import * as ProcessTable from "./processTable.ts"

/** How long a sweep tries. A process in an uninterruptible wait (a dead network mount) may not react for longer. */
const sweepForMillis = 10_000

/** The kernel needs about a millisecond to end a process and notify its parent. */
const pollMillis = 5

/** The processes of these leases that can still run, by group or by marker; never this process. */
export const processesOf = Effect.fnUntraced(function* (
  leases: ReadonlyArray<LeaseId>,
  groupsOf: LeaseSearch.GroupsOf<LeaseId>
) {
  const search = LeaseSearch.searchFor(leases, groupsOf)
  const found: Array<LeaseSearch.Found<LeaseId>> = []
  for (const [nth, pid] of ProcessTable.pids().entries()) {
    // A machine can have thousands of processes; the event loop must not wait for all of them.
    if (nth % 64 === 63) yield* Effect.yieldNow
    const one = search(pid)
    if (one !== null) found.push(one)
  }
  return found
})

export const members = (lease: LeaseId, groups: () => ReadonlyArray<number>) =>
  Effect.map(processesOf([lease], groups), (found) => found.map(({ stat }) => stat))

/** Sends SIGKILL until the kernel has none of them any more, for up to 10 s; gives how many are left. */
export const endAll = (lease: LeaseId, groups: () => ReadonlyArray<number>): Effect.Effect<number> =>
  Effect.gen(function* () {
    const deadline = kernelNow() + sweepForMillis
    while (true) {
      for (const group of groups()) ProcessTable.send(-group, "SIGKILL")
      const unread = ProcessTable.unreadCount()
      const remaining = yield* members(lease, groups)
      const isWhole = ProcessTable.unreadCount() === unread
      for (const { pid } of remaining) ProcessTable.send(pid, "SIGKILL")
      const count = Math.max(remaining.length, ProcessTable.readable ? 0 : groups().length)
      if (count === 0 && isWhole) return 0
      // Where the table could not be read, as with too many open files, somebody may be there.
      if (kernelNow() >= deadline) return Math.max(1, count)
      yield* kernelSleep(pollMillis)
    }
  })

/** In real time, because the kernel does not wait for a test's clock. */
const kernelNow = () => performance.now()
