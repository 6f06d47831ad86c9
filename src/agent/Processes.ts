/**
 * Child processes, whole trees of them: spawn under a lease, signal, sweep, look at.
 *
 * Every child leads a process group of its own and carries `TROUPE_LEASE=<id>`, which its descendants inherit. A group
 * alone is not enough: commands that codex or Claude run have sessions of their own and survive a kill of the group,
 * so a sweep also ends whoever still carries the marker in `/proc/<pid>/environ`. Limits: a descendant that cleared
 * its environment, and platforms without `/proc`, where only the group is ended.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { ChildProcessSpawner } from "effect/process"
import type { LeaseId } from "../domain/Ids.ts"
import type { AgentFailed } from "./Agent.ts"
import * as ChildOf from "./Child.ts"
import type { Child, SpawnSpec } from "./Child.ts"
import * as ProcessTable from "./processTable.ts"
import type { ProcessInfo } from "./processTable.ts"
import { secretsOf } from "./redact.ts"

export type { Child, Exit, SpawnSpec } from "./Child.ts"
export type { ProcessInfo } from "./processTable.ts"

/** What is known of a lease's children besides what they say. */
export interface Vitals {
  readonly lastOutputAt: number | null
  readonly stderr: string
}

export class Processes extends Context.Service<
  Processes,
  {
    /** Names this boot of the machine: pids of another boot mean nothing. */
    readonly bootId: string
    readonly spawn: (spec: SpawnSpec) => Effect.Effect<Child, AgentFailed, Scope.Scope>
    /** Sends a signal to the groups of every child that this lease spawned. Nothing there: nothing happens. */
    readonly signal: (lease: LeaseId, signal: "SIGINT" | "SIGTERM" | "SIGKILL") => Effect.Effect<void>
    /**
     * SIGKILLs the groups of the lease's children and everyone who carries its marker, again and again until the kernel
     * knows none of them. Gives up after 10 s; the answer is how many it still could not end (0 is the promise).
     */
    readonly sweep: (lease: LeaseId) => Effect.Effect<number>
    /** Everyone who belongs to the lease now, by group or marker. */
    readonly tree: (lease: LeaseId) => Effect.Effect<ReadonlyArray<ProcessInfo>>
    /** Of the lease's children now: the last byte of any, and the tails of their stderr. `null` where there is none. */
    readonly vitals: (lease: LeaseId) => Effect.Effect<Vitals | null>
    /** The start time of a pid, or `null` where there is no such process. The reaper compares it before it touches. */
    readonly startTime: (pid: number) => Effect.Effect<string | null>
    /**
     * Ends what a dead supervisor left of a lease: the recorded pid's group only where its start time is still the same,
     * and whoever carries the marker. For boot, when this process has spawned nothing under it.
     */
    readonly reap: (orphan: {
      readonly lease: LeaseId
      readonly pid: number | null
      readonly startTime: string | null
      readonly bootId: string
    }) => Effect.Effect<number>
  }
>()("troupe/agent/Processes") {
  static readonly layerNoDeps = Layer.effect(
    Processes,
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      return Processes.of(make(spawner))
    })
  )

  static readonly layer = this.layerNoDeps.pipe(Layer.provide(NodeServices.layer))
}

/** How long a sweep tries. A process in an uninterruptible wait (a dead network mount) can take any signal's time. */
const sweepForMillis = 10_000

/** Between two looks of a sweep: the kernel needs about a millisecond to end a process and tell its parent. */
const lookEveryMillis = 5

const make = (spawner: ChildProcessSpawner.ChildProcessSpawner["Service"]): Processes["Service"] => {
  const bootId = ProcessTable.bootId()

  // The groups that each lease's children lead. An entry lives as long as its child's scope.
  const groups = new Map<LeaseId, Map<number, Leading>>()

  const spawn = Effect.fn("Processes.spawn")(function* (spec: SpawnSpec) {
    let pid: number | null = null
    // Finalizers run in reverse: the group is forgotten after the child's own finalizer has ended it.
    yield* Effect.addFinalizer(() => Effect.sync(() => forget(spec.lease, pid)))
    const child = yield* ChildOf.spawn(spawner, spec)
    pid = child.pid
    const led = groups.get(spec.lease) ?? new Map<number, Leading>()
    const startTime = ProcessTable.stat(pid)?.startTime ?? null
    groups.set(spec.lease, led.set(pid, { startTime, child, secrets: secretsOf(spec.env) }))
    yield* spec.spawned(child.pid)
    return child
  })

  const forget = (lease: LeaseId, pid: number | null) => {
    const led = groups.get(lease)
    if (led === undefined || pid === null) return
    led.delete(pid)
    if (led.size === 0) groups.delete(lease)
  }

  const groupsOf = (lease: LeaseId): ReadonlyArray<number> =>
    [...(groups.get(lease) ?? [])].flatMap(([group, leader]) => (stillOurs(group, leader) ? [group] : []))

  const signal = Effect.fn("Processes.signal")((lease: LeaseId, signal: "SIGINT" | "SIGTERM" | "SIGKILL") =>
    Effect.sync(() => {
      for (const group of groupsOf(lease)) ProcessTable.send(-group, signal)
    })
  )

  const sweep = Effect.fn("Processes.sweep")((lease: LeaseId) => endAll(lease, () => groupsOf(lease)))

  const tree = Effect.fn("Processes.tree")((lease: LeaseId) =>
    Effect.map(
      members(lease, () => groupsOf(lease)),
      (stats) => {
        // A command line may hold what the child was given in its environment.
        const secrets = [...(groups.get(lease)?.values() ?? [])].flatMap(({ secrets }) => secrets)
        return stats.map((stat) => ProcessTable.info(stat, secrets))
      }
    )
  )

  const vitals = Effect.fn("Processes.vitals")(function* (lease: LeaseId) {
    const children = [...(groups.get(lease)?.values() ?? [])].map(({ child }) => child)
    if (children.length === 0) return null
    const outputTimes = children.flatMap(({ lastOutputAt }) => lastOutputAt() ?? [])
    const tails = yield* Effect.forEach(children, ({ stderr }) => stderr)
    return { lastOutputAt: outputTimes.length === 0 ? null : Math.max(...outputTimes), stderr: tails.join("") }
  })

  const reap: Processes["Service"]["reap"] = Effect.fn("Processes.reap")(function* (orphan) {
    const { pid } = orphan
    // Another boot's pids are other processes, and nobody carries a marker over a boot.
    if (orphan.bootId !== bootId) return 0
    const known = pid !== null && orphan.startTime !== null && ProcessTable.stat(pid)?.startTime === orphan.startTime
    const leader: Leader = { startTime: orphan.startTime }
    return yield* endAll(orphan.lease, () => (known && stillOurs(pid, leader) ? [pid] : []))
  })

  return { bootId, spawn, signal, sweep, tree, vitals, startTime, reap }
}

const startTime = (pid: number) => Effect.sync(() => ProcessTable.stat(pid)?.startTime ?? null)

/** Of a group's leader: what tells it from a later process of the same pid. `null` where there is no `/proc`. */
interface Leader {
  readonly startTime: string | null
}

/** A child of ours, and what it was given that must not be shown. */
interface Leading extends Leader {
  readonly child: Child
  readonly secrets: ReadonlyArray<string>
}

/**
 * The kernel gives a pid out again only when no process and no group has the number any more. So a group is ours while
 * its leader is the process we started, or while the leader is gone and members remain.
 */
const stillOurs = (group: number, leader: Leader): boolean => {
  const now = ProcessTable.stat(group)
  if (now === null) return ProcessTable.groupExists(group)
  return now.startTime === leader.startTime
}

/** Those of a lease that can still run, by group or by marker. Never this process. */
const members = (lease: LeaseId, groups: () => ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const led = new Set(groups())
    const found: Array<ProcessTable.Stat> = []
    for (const [nth, pid] of ProcessTable.pids().entries()) {
      // A machine can have thousands; the event loop gets a turn in between.
      if (nth % 64 === 63) yield* Effect.yieldNow
      if (pid === process.pid) continue
      const stat = ProcessTable.stat(pid)
      if (stat === null || stat.zombie) continue
      if (led.has(stat.group) || ProcessTable.carries(pid, lease)) found.push(stat)
    }
    return found
  })

const endAll = (lease: LeaseId, groups: () => ReadonlyArray<number>): Effect.Effect<number> =>
  Effect.gen(function* () {
    const deadline = kernelNow() + sweepForMillis
    while (true) {
      const led = groups()
      for (const group of led) ProcessTable.send(-group, "SIGKILL")
      const left = yield* members(lease, groups)
      for (const { pid } of left) ProcessTable.send(pid, "SIGKILL")
      const count = Math.max(left.length, ProcessTable.readable ? 0 : groups().length)
      if (count === 0 || kernelNow() >= deadline) return count
      yield* ChildOf.kernelSleep(lookEveryMillis)
    }
  })

/** The kernel does not wait for a test's clock, so what waits for the kernel goes by the real one. */
const kernelNow = () => performance.now()
