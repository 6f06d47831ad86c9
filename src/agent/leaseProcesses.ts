/** Finds the processes of leases in the kernel's table, by group or by marker, and ends them. */
import { Effect } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import { kernelSleep } from "./Child.ts"
import * as DescentMark from "./descentMark.ts"
import * as ProcessTable from "./processTable.ts"

/** How long a sweep tries. A process in an uninterruptible wait (a dead network mount) may not react for longer. */
const sweepForMillis = 10_000

/** The kernel needs about a millisecond to end a process and notify its parent. */
const pollMillis = 5

/** The process groups of a lease that are still ours. */
export type GroupsOf = (lease: LeaseId) => ReadonlyArray<number>

/** The processes of these leases that can still run, by group or by marker; never this process. */
export const processesOf = Effect.fnUntraced(function* (leases: ReadonlyArray<LeaseId>, groupsOf: GroupsOf) {
  const ofGroup = new Map(leases.flatMap((lease) => groupsOf(lease).map((group) => [group, lease] as const)))
  const ofMarker = new Map<string, LeaseId>(leases.map((lease) => [lease, lease]))
  const ofMark = new Map(leases.map((lease) => [DescentMark.markOf(lease), lease]))
  const found: Array<{ readonly lease: LeaseId; readonly stat: ProcessTable.Stat }> = []
  for (const [nth, pid] of ProcessTable.pids().entries()) {
    // A machine can have thousands of processes; the event loop must not wait for all of them.
    if (nth % 64 === 63) yield* Effect.yieldNow
    if (pid === process.pid) continue
    const stat = ProcessTable.stat(pid)
    if (stat === null || stat.zombie) continue
    const lease =
      ofGroup.get(stat.group) ??
      ofMarker.get(ProcessTable.markerOf(pid) ?? "") ??
      ofMark.get(DescentMark.markIn(pid) ?? "")
    if (lease !== undefined) found.push({ lease, stat })
  }
  return found
})

export const members = (lease: LeaseId, groups: () => ReadonlyArray<number>) =>
  Effect.map(processesOf([lease], groups), (found) => found.map(({ stat }) => stat))

/** More rounds than a program that is just starting has generations. */
const markRounds = 5

/**
 * Marks a child that has just been spawned, and what it has started meanwhile: a program behind a shell's script, such as
 * an agent that is installed as one, has begun within the milliseconds that the first mark takes.
 */
export const markAll = (lease: LeaseId, groups: () => ReadonlyArray<number>): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!DescentMark.marks) return
    for (let round = 0; round < markRounds; round++) {
      const own = new Set(groups())
      const unmarked = ProcessTable.pids().filter((pid) => {
        const stat = own.has(pid) || round > 0 ? ProcessTable.stat(pid) : null
        return stat !== null && !stat.zombie && own.has(stat.group) && DescentMark.markIn(pid) === null
      })
      if (round > 0 && unmarked.length === 0) return
      yield* Effect.forEach(unmarked, (pid) => DescentMark.mark(pid, lease), {
        concurrency: "unbounded",
        discard: true
      })
    }
  })

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
