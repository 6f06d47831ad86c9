/**
 * Child processes, whole trees of them: spawn under a lease, signal, sweep, look at.
 *
 * Every child leads a process group of its own and carries `TROUPE_LEASE=<id>`, which its descendants inherit. A group
 * alone is not enough: commands that codex or Claude run have sessions of their own and survive a kill of the group,
 * so a sweep also ends whoever still carries the marker in `/proc/<pid>/environ`. Limits: a descendant that cleared
 * its environment, and platforms without `/proc`, where only the group is ended.
 */
import { Context } from "effect"
import type { Effect, Scope, Stream } from "effect"
import type { LeaseId } from "../domain/Ids.ts"
import type { AgentFailed } from "./Agent.ts"

export interface SpawnSpec {
  readonly lease: LeaseId
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly cwd: string
  /** The whole environment of the child, marker excepted: nothing is inherited behind its back. */
  readonly env: Readonly<Record<string, string>>
  /** `false` gives the child `/dev/null`, for programs that wait for the end of an open pipe. */
  readonly stdin: boolean
  /** Called with the pid before the child is written to. */
  readonly spawned: (pid: number) => Effect.Effect<void>
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Child {
  readonly pid: number
  readonly stdout: Stream.Stream<Uint8Array, AgentFailed>
  /** Written in order, waiting for the pipe. Fails when the child is gone. */
  readonly write: (bytes: Uint8Array | string) => Effect.Effect<void, AgentFailed>
  /** Closes stdin. */
  readonly end: Effect.Effect<void>
  readonly exit: Effect.Effect<Exit>
  /** The last 8 kB of stderr, secrets redacted. */
  readonly stderr: Effect.Effect<string>
}

/** A process as the kernel tells it. `startTime` is field 22 of `/proc/<pid>/stat`: with the pid and the boot id it is one process for ever. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly startTime: string
  readonly command: string
  readonly rssBytes: number
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
>()("troupe/agent/Processes") {}
