/**
 * Child processes and all their descendants: spawns them under a lease, signals, sweeps and lists them.
 *
 * Every child leads a process group of its own and has two markers that its descendants inherit: `TROUPE_LEASE=<id>` in
 * its environment, and a resource limit (`descentMark.ts`). A group alone is not enough: commands of codex and Claude have
 * sessions of their own and survive a kill of the group, and a daemon may clear its environment, too. So a sweep ends
 * every process that has any of the three. Without `/proc` only the group is ended.
 */
import { Context, Effect, Layer, Scope } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import type { SupervisorProcess } from "../domain/SupervisorProcess.ts"
import { AgentFailed } from "./Agent.ts"
import * as ChildOf from "./Child.ts"
import type { Child, SpawnSpec } from "./Child.ts"
import * as ProcessTable from "./processTable.ts"
import type { ProcessInfo } from "./processTable.ts"
import { lockHolders } from "./kernelState.ts"
import { endAll, members, processesOf } from "./leaseProcesses.ts"
import { stillOurs } from "./leaseSearch.ts"
import type { Leader } from "./leaseSearch.ts"
import { markDescendants } from "./markDescendants.ts"
import { plainParents, temporaryIn } from "./temporaryParents.ts"
import type { Parents, Purpose } from "./temporaryParents.ts"
import { Warden } from "./Warden.ts"

export type { Child, Exit, SpawnSpec } from "./Child.ts"
export type { ProcessInfo } from "./processTable.ts"

/** Signs of life of a lease's children. `lastOutputAt` is in milliseconds since 1970. */
export interface Vitals {
  readonly lastOutputAt: number | null
  readonly stderr: string
  /** The lines of their stdout that were no message (`MalformedLines`): how many, and the first. */
  readonly malformedLines: number
  readonly firstMalformedLine: string | null
}

/** What a lease's processes use: their memory in RAM, summed up, their number, and by pid how many seconds of a processor. */
export interface ResourceUse {
  readonly rssBytes: number
  readonly processes: number
  readonly cpu: ReadonlyMap<number, number>
}

/** A lease that was found at the start: of a dead supervisor, or of one that lives where its data dir was copied. */
export interface Orphan {
  readonly lease: LeaseId
  readonly pid: number | null
  readonly startTime: string | null
  readonly bootId: string
  readonly supervisor: SupervisorProcess | null
}

/**
 * `Ended`: so many processes were alive, and so many of them would not die. `InUse`: their supervisor lives, so they are
 * its own. `OutOfSight`: it ran in another container, and its processes ended with that, or are its own.
 */
export type Reaped =
  | { readonly _tag: "Ended"; readonly found: number; readonly left: number }
  | { readonly _tag: "InUse"; readonly supervisor: SupervisorProcess }
  | { readonly _tag: "OutOfSight" }

export class Processes extends Context.Service<
  Processes,
  {
    /** Identifies this boot of the machine, since pids of another boot are other processes. */
    readonly bootId: string
    /** This process, as its leases name it. */
    readonly self: SupervisorProcess
    /**
     * Also where it fails, `sweep` is to be called in the end: until that finds nothing, all of the lease is ended with this
     * process, whatever ends it.
     */
    readonly spawn: (spec: SpawnSpec) => Effect.Effect<Child, AgentFailed, Scope.Scope>
    /** Sends a signal to the groups of all children of the lease; does nothing where there are none. */
    readonly signal: (lease: LeaseId, signal: "SIGINT" | "SIGTERM" | "SIGKILL") => Effect.Effect<void>
    /**
     * Sends SIGKILL to the groups of the lease's children and to every process with its marker, until the kernel has
     * none of them. Gives up after 10 s. Gives the number of processes that are left, or 1 where the kernel's table could
     * not be read: 0, but for those 10 s.
     */
    readonly sweep: (lease: LeaseId) => Effect.Effect<number>
    /** All processes of the lease, by group or marker. */
    readonly tree: (lease: LeaseId) => Effect.Effect<ReadonlyArray<ProcessInfo>>
    /** What the processes of these leases use, by one look at the kernel's table for all. */
    readonly use: (leases: ReadonlyArray<LeaseId>) => Effect.Effect<ReadonlyMap<LeaseId, ResourceUse>>
    /** The last output of any child of the lease, and the tails of their stderr; `null`: there is no child. */
    readonly vitals: (lease: LeaseId) => Effect.Effect<Vitals | null>
    /** A directory of Troupe's own for a process, such as one that it starts in. Removed with the scope. */
    readonly temporary: (purpose: Purpose) => Effect.Effect<string, AgentFailed, Scope.Scope>
    /** The start time of a process, by which `reap` recognizes it; `null`: there is no such process. */
    readonly startTime: (pid: number) => Effect.Effect<string | null>
    /**
     * Ends the processes of a lease that a dead supervisor left: the group of the stored pid, only where its start time
     * is the same, and every process with the marker. For the start, when nothing was spawned under the lease yet.
     */
    readonly reap: (orphan: Orphan) => Effect.Effect<Reaped>
    /** As those of `Warden`. */
    readonly hold: Warden["Service"]["hold"]
    readonly mayStart: Warden["Service"]["mayStart"]
    readonly mayRunUntil: Warden["Service"]["mayRunUntil"]
  }
>()("troupe/agent/Processes") {
  /** `parents`: where temporary directories are made. */
  static readonly layerNoDeps = (parents: Parents) =>
    Layer.effect(
      Processes,
      Effect.map(Warden, (warden) => Processes.of(make(warden, parents)))
    )

  static readonly layer = this.layerNoDeps(plainParents).pipe(Layer.provide(Warden.layer))
}

const make = (warden: Warden["Service"], parents: Parents): Processes["Service"] => {
  const bootId = ProcessTable.bootId()
  const self: SupervisorProcess = {
    pid: process.pid,
    startTime: ProcessTable.stat(process.pid)?.startTime ?? null,
    pidNamespace: ProcessTable.pidNamespace()
  }

  // The children of each lease by the group that they lead, while their scopes are open.
  const groups = new Map<LeaseId, Map<number, LeadingChild>>()

  const spawn = Effect.fnUntraced(function* (spec: SpawnSpec) {
    const { lease } = spec
    let pid: number | null = null
    // Finalizers run in reverse: the group is forgotten after the child's own finalizer has ended it.
    const forgets = Effect.suspend(() => (pid === null ? Effect.void : forget(lease, pid)))
    yield* Scope.addFinalizer(yield* Effect.scope, forgets)
    if (!(yield* warden.mayStart(lease))) return yield* leaseOver
    const child = yield* ChildOf.spawn(spec)
    pid = child.pid
    const children = groups.get(lease) ?? new Map<number, LeadingChild>()
    const startTime = ProcessTable.stat(pid)?.startTime ?? null
    groups.set(lease, children.set(pid, { startTime, child }))
    yield* warden.addGroup(lease, pid, { startTime })
    yield* markDescendants(lease, () => groupsOf(lease))
    yield* spec.spawned(child.pid)
    return child
  })

  const forget = (lease: LeaseId, group: number) => {
    const children = groups.get(lease)
    children?.delete(group)
    if (children?.size === 0) groups.delete(lease)
    return warden.removeGroup(lease, group)
  }

  const groupsOf = (lease: LeaseId): ReadonlyArray<number> =>
    [...(groups.get(lease) ?? [])].flatMap(([group, leader]) => (stillOurs(group, leader) ? [group] : []))

  const signal = Effect.fn("Processes.signal")((lease: LeaseId, signal: "SIGINT" | "SIGTERM" | "SIGKILL") =>
    Effect.sync(() => {
      for (const group of groupsOf(lease)) ProcessTable.send(-group, signal)
    })
  )

  const sweep = Effect.fn("Processes.sweep")((lease: LeaseId) =>
    endAll(lease, () => groupsOf(lease)).pipe(Effect.tap((left) => (left === 0 ? warden.release(lease) : Effect.void)))
  )

  const tree = Effect.fn("Processes.tree")((lease: LeaseId) =>
    Effect.map(
      members(lease, () => groupsOf(lease)),
      (stats) => {
        // A command line may contain values of the child's environment.
        const secrets = [...(groups.get(lease)?.values() ?? [])].flatMap(({ child }) => child.secrets())
        const holders = lockHolders()
        return stats.map((stat) => ProcessTable.info(stat, secrets, holders))
      }
    )
  )

  const use = Effect.fn("Processes.use")(function* (leases: ReadonlyArray<LeaseId>) {
    const uses = new Map<LeaseId, ResourceUse & { readonly cpu: Map<number, number> }>()
    for (const { lease, stat } of yield* processesOf(leases, groupsOf)) {
      const { cpu, processes, rssBytes } = uses.get(lease) ?? { rssBytes: 0, processes: 0, cpu: new Map() }
      uses.set(lease, {
        rssBytes: rssBytes + ProcessTable.rssBytes(stat.pid),
        processes: processes + 1,
        cpu: cpu.set(stat.pid, stat.cpuSeconds)
      })
    }
    return uses
  })

  const vitals = Effect.fn("Processes.vitals")(function* (lease: LeaseId) {
    const children = [...(groups.get(lease)?.values() ?? [])].map(({ child }) => child)
    if (children.length === 0) return null
    const outputTimes = children.flatMap((child) => child.lastOutputAt() ?? [])
    const tails = yield* Effect.forEach(children, (child) => child.stderr)
    return {
      lastOutputAt: outputTimes.length === 0 ? null : Math.max(...outputTimes),
      stderr: tails.join(""),
      malformedLines: children.reduce((sum, { malformed }) => sum + malformed.count(), 0),
      firstMalformedLine: children.map(({ malformed }) => malformed.first()).find((line) => line !== null) ?? null
    }
  })

  const reap: Processes["Service"]["reap"] = Effect.fn("Processes.reap")(function* (orphan) {
    const { lease, pid, supervisor } = orphan
    // Pids of another boot are other processes, and no marker survives a boot.
    if (orphan.bootId !== bootId) return { _tag: "Ended", found: 0, left: 0 }
    if (supervisor !== null && supervisor.pidNamespace !== self.pidNamespace) return { _tag: "OutOfSight" }
    if (supervisor !== null && ProcessTable.isAnother(supervisor, self)) return { _tag: "InUse", supervisor }
    const isSame = pid !== null && orphan.startTime !== null && ProcessTable.stat(pid)?.startTime === orphan.startTime
    const leader: Leader = { startTime: orphan.startTime }
    const groups = () => (isSame && stillOurs(pid, leader) ? [pid] : [])
    const found = (yield* members(lease, groups)).length
    return { _tag: "Ended", found, left: yield* endAll(lease, groups) }
  })

  const { hold, mayRunUntil, mayStart } = warden
  return {
    bootId,
    self,
    // No parent of what it forks, which lasts as long as the process: it would be kept as long.
    spawn: (spec) => Effect.useSpan("Processes.spawn", () => warden.holding(spec.lease, spawn(spec))),
    signal,
    sweep,
    tree,
    use,
    vitals,
    temporary: (purpose) => temporaryIn(parents, purpose),
    startTime,
    reap,
    hold,
    mayStart,
    mayRunUntil
  }
}

const leaseOver = new AgentFailed({
  class: "crash",
  message:
    "This node's lease ran out before the agent could be started: it was stopped, or could not reach the database. Another node may have the session now."
})

const startTime = (pid: number) => Effect.sync(() => ProcessTable.stat(pid)?.startTime ?? null)

/** A child of ours. */
interface LeadingChild extends Leader {
  readonly child: Child
}
