/** To which lease a process belongs. Without Effect, because the warden has none (`warden/main.ts`). */
import * as DescentMark from "./descentMark.ts"
import * as ProcessTable from "./processTable.ts"

/** Distinguishes a group's leader from a later process with the same pid. `null`: there is no `/proc`. */
export interface Leader {
  readonly startTime: string | null
}

/**
 * Whether a group is still ours: its leader is the process that we started, or is gone while other members remain. The
 * kernel reuses a number only when no process and no group has it any more.
 */
export const stillOurs = (group: number, leader: Leader): boolean => {
  const now = ProcessTable.stat(group)
  if (now === null) return ProcessTable.groupExists(group)
  return now.startTime === leader.startTime
}

/** The process groups of a lease that are still ours. */
export type GroupsOf<Lease extends string> = (lease: Lease) => ReadonlyArray<number>

export interface Found<Lease extends string> {
  readonly lease: Lease
  readonly stat: ProcessTable.Stat
}

/** Looks whether a process is one of these leases' that can still run, by group or by marker; never this process. */
export const searchFor = <Lease extends string>(
  leases: ReadonlyArray<Lease>,
  groupsOf: GroupsOf<Lease>
): ((pid: number) => Found<Lease> | null) => {
  const ofGroup = new Map(leases.flatMap((lease) => groupsOf(lease).map((group) => [group, lease] as const)))
  const ofMarker = new Map<string, Lease>(leases.map((lease) => [lease, lease]))
  const ofMark = new Map(leases.map((lease) => [DescentMark.markOf(lease), lease]))
  return (pid) => {
    if (pid === process.pid) return null
    const stat = ProcessTable.stat(pid)
    if (stat === null || stat.zombie) return null
    const lease =
      ofGroup.get(stat.group) ??
      ofMarker.get(ProcessTable.markerOf(pid) ?? "") ??
      ofMark.get(DescentMark.markIn(pid) ?? "")
    return lease === undefined ? null : { lease, stat }
  }
}
