/**
 * What holds a session's processes up whatever they are at, by the kernel's word: somebody stopped one, one waits for a lock
 * of a file, or for a device. The diagnosis of a session and the list of what needs a person have it from here. Pure.
 */
import { named } from "./named.ts"

export interface KernelProcess {
  readonly pid: number
  readonly command: string
  /** The kernel's letter, such as `S`, `R`, `T`. */
  readonly state?: string | undefined
  /** The part of a processor that it uses; absent or `null`: not measured. */
  readonly cpu?: number | null
  /** The kernel's function that it waits in. */
  readonly waitsIn?: string | null | undefined
  /** The process whose lock of a file it waits for. */
  readonly blockedBy?: number | null | undefined
}

export interface HeldUp {
  readonly kind: "stopped" | "blocked" | "device"
  /** One or two sentences, with what to do where something can be done. */
  readonly verdict: string
}

/** A process that uses less of a processor is not at work. */
export const leastWork = 0.02
/** So much of one is all that a program with one thread can take. */
export const wholeProcessor = 0.7

/** `agent`: the pid of the session's own process among them, where it has one. */
export const heldUp = (processes: ReadonlyArray<KernelProcess>, agent: number | null): HeldUp | null => {
  const which = (process: KernelProcess) =>
    process.pid === agent
      ? `Its agent's process, ${process.pid},`
      : `Process ${process.pid} (${named(process.command)})`
  const stopped = processes
    .filter(({ state }) => state === "T" || state === "t")
    .toSorted((a, b) => Number(b.pid === agent) - Number(a.pid === agent))[0]
  if (stopped !== undefined) {
    const how = stopped.state === "t" ? "is stopped by a debugger" : "is stopped (state T, as by SIGSTOP)"
    return {
      kind: "stopped",
      verdict: `${which(stopped)} ${how}: it does nothing until somebody continues it. Run: kill -CONT ${stopped.pid}`
    }
  }
  const locked = processes.find(({ blockedBy }) => blockedBy != null)
  if (locked !== undefined) {
    const holder = processes.find((process) => process.pid === locked.blockedBy)
    const whose =
      holder === undefined ? "which is none of the session's" : `which is the session's own ${named(holder.command)}`
    return {
      kind: "blocked",
      verdict: `${which(locked)} waits for the lock of a file that process ${locked.blockedBy} has, ${whose}.`
    }
  }
  const held = processes.find(({ cpu, state }) => state === "D" && (cpu ?? 0) < leastWork)
  if (held === undefined) return null
  const where = held.waitsIn == null ? "" : ` (in ${held.waitsIn})`
  return {
    kind: "device",
    verdict: `${which(held)} waits in the kernel for a device${where}, such as a disk or a network file system. No signal reaches it meanwhile.`
  }
}

/** `98 % of a processor`, or `2.4 processors`. */
export const ofProcessor = (cpu: number): string =>
  cpu < 1.05 ? `${Math.round(Math.min(cpu, 1) * 100)} % of a processor` : `${cpu.toFixed(1)} processors`
