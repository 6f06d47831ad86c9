/**
 * Reads the kernel's table of processes from `/proc`. Synchronous, because these files are memory, not disk.
 *
 * Every reader reports "no such process" also for another user's process, and where there is no `/proc`: callers do not
 * touch what they can't see.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { connections, waitsIn } from "./kernelState.ts"
import { redact } from "./redact.ts"
import { cut } from "../domain/cut.ts"
import type { SupervisorProcess } from "../domain/SupervisorProcess.ts"

/** The name of the variable that a child and all its descendants have: the marker. */
export const leaseVariable = "TROUPE_LEASE"

/** A process. `startTime` is field 22 of `/proc/<pid>/stat`: with pid and boot id it identifies one process for ever. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly startTime: string
  readonly command: string
  readonly rssBytes: number
  /** Milliseconds since 1970, exact to about a hundredth of a second; `null`: not known. */
  readonly startedAt: number | null
  /** The kernel's letter: `R` runs, `S` sleeps, `D` waits for a device, `T` is stopped. */
  readonly state: string
  /** How long it has used a processor, its ended children not counted. */
  readonly cpuSeconds: number
  /** The kernel's function in which it sleeps; `null`: not known, or in none. */
  readonly waitsIn: string | null
  /** The process that has the lock of a file that it waits for; `null`: it waits for none. */
  readonly blockedBy: number | null
  /** The other ends of its network connections; `null`: not known. */
  readonly connections: ReadonlyArray<string> | null
}

/** The fields of `/proc/<pid>/stat` that are used here (proc_pid_stat(5)). */
export interface Stat {
  readonly pid: number
  readonly ppid: number
  readonly group: number
  /** Dead, and not yet reaped by its parent: nothing of it can be ended. */
  readonly zombie: boolean
  /** Field 3. */
  readonly state: string
  /** Fields 14 and 15, in seconds. */
  readonly cpuSeconds: number
  /** Field 22, clock ticks since boot, as text, because it is only compared. */
  readonly startTime: string
}

export const stat = (pid: number): Stat | null => {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  // The second field is the program's name in parentheses, which may contain blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const [state, ppid, group] = fields
  const startTime = fields[19]
  if (state === undefined || ppid === undefined || group === undefined || startTime === undefined) return null
  return {
    pid,
    ppid: Number(ppid),
    group: Number(group),
    zombie: state === "Z" || state === "X",
    state,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    startTime
  }
}

/** All pids; empty where there is no `/proc`, and where it can't be read now. */
export const pids = (): ReadonlyArray<number> => {
  try {
    return readdirSync("/proc").flatMap((name) => (/^[0-9]+$/.test(name) ? [Number(name)] : []))
  } catch (error) {
    return noteUnread(error) ?? []
  }
}

/** What the kernel says of a process that is gone, or that is another user's. */
const absent: ReadonlySet<unknown> = new Set(["ENOENT", "ESRCH", "ENOTDIR", "EACCES", "EPERM"])

let unread = 0

/** A read that failed for want of something, such as open files: what is there is not known. */
const noteUnread = (error: unknown): null => {
  if (!absent.has((error as { readonly code?: unknown }).code)) unread += 1
  return null
}

/** How many reads have failed so. Where it has grown, what was read in between is not all that there is. */
export const unreadCount = (): number => unread

/** The value of `TROUPE_LEASE` in the environment with which the process was started; `null`: it has none. */
export const markerOf = (pid: number): string | null => {
  const environ = read(`/proc/${pid}/environ`)
  if (environ === null) return null
  const entry = `${leaseVariable}=`
  const at = environ.startsWith(entry) ? 0 : environ.indexOf(`\0${entry}`) + 1
  if (at === 0 && !environ.startsWith(entry)) return null
  const end = environ.indexOf("\0", at)
  // The kernel has it whole; one that is cut is being replaced by an exec.
  return end === -1 ? null : environ.slice(at + entry.length, end)
}

/** The resource limits of a process, as a table in text. */
export const limitsOf = (pid: number | "self"): string | null => read(`/proc/${pid}/limits`)

/** `secrets`: values to redact from the command line, besides what looks like a secret. */
export const info = (
  stat: Stat,
  secrets: ReadonlyArray<string>,
  holders: ReadonlyMap<number, number>
): ProcessInfo => ({
  pid: stat.pid,
  ppid: stat.ppid,
  startTime: stat.startTime,
  startedAt: startedAt(stat.startTime),
  // Redacted before it is cut, because a secret at the edge must be complete to be recognized.
  command:
    cut(redact(cut((read(`/proc/${stat.pid}/cmdline`) ?? "").replaceAll("\0", " ").trim(), 8_000), secrets), 1_000) ||
    `[${stat.pid}]`,
  rssBytes: rssBytes(stat.pid),
  state: stat.state,
  cpuSeconds: stat.cpuSeconds,
  waitsIn: waitsIn(stat.pid),
  blockedBy: holders.get(stat.pid) ?? null,
  connections: connections(stat.pid)
})

/** The memory of a process that is in RAM, shared pages included; 0: it is gone, or a zombie. */
export const rssBytes = (pid: number): number =>
  Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) * 1024

/** `USER_HZ`, the same on every Linux that Node runs on: the kernel converts its own ticks to it (proc(5)). */
const ticksPerSecond = 100

/** By the time since boot, which includes the time of suspension, as start times do. */
const startedAt = (startTime: string): number | null => {
  const upSeconds = Number(read("/proc/uptime")?.split(" ")[0] ?? NaN)
  const at = Date.now() - (upSeconds - Number(startTime) / ticksPerSecond) * 1_000
  return Number.isFinite(at) ? Math.round(at) : null
}

/** Whether this machine has `/proc`. */
export const readable: boolean = existsSync("/proc/self/stat")

/** Whether the group has a process. Works without `/proc`. */
export const groupExists = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    return false
  }
}

/** Sends a signal to a process, or to a group (negative pid). Succeeds also where the target is gone. */
export const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: it has exited. EPERM: the pid is now another user's process.
  }
}

/** Identifies this boot. Where the kernel gives no id it is a random one, so that no later start trusts our pids. */
export const bootId = (): string => read("/proc/sys/kernel/random/boot_id")?.trim() ?? `unknown-${crypto.randomUUID()}`

/** Identifies the pid namespace in which this process's pids are counted: a container has its own. */
export const pidNamespace = (): string | null => {
  try {
    return readlinkSync("/proc/self/ns/pid")
  } catch {
    return null
  }
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    return noteUnread(error)
  }
}

/** Whether it is a process that runs, and not this one. Both are of the same boot and pid namespace. */
export const isAnother = ({ pid, startTime }: SupervisorProcess, self: SupervisorProcess): boolean => {
  if (startTime === null || (pid === self.pid && startTime === self.startTime)) return false
  const found = stat(pid)
  return found?.startTime === startTime && !found.zombie
}
