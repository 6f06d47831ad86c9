/**
 * The kernel's own view of its processes, read from `/proc`. Synchronous: these files are memory, not disk.
 *
 * Every reader answers "not there" where the process is gone, is another user's, or there is no `/proc` at all: a
 * caller who gets nothing touches nothing.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { redact } from "./redact.ts"

/** Names the variable that a child and all its descendants carry. */
export const leaseVariable = "TROUPE_LEASE"

/** A process as the kernel tells it. `startTime` is field 22 of `/proc/<pid>/stat`: with the pid and the boot id it is one process for ever. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly startTime: string
  readonly command: string
  readonly rssBytes: number
  /** Milliseconds since 1970, to the hundredth of a second or so; `null` where the kernel does not say. */
  readonly startedAt: number | null
}

/** What `/proc/<pid>/stat` says, as far as anybody here asks (proc_pid_stat(5)). */
export interface Stat {
  readonly pid: number
  readonly ppid: number
  readonly group: number
  /** Dead and waiting for its parent to notice: nothing is left of it that could be ended. */
  readonly zombie: boolean
  /** Field 22, clock ticks since boot, as text: it is compared, never counted with. */
  readonly startTime: string
}

export const stat = (pid: number): Stat | null => {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  // The second field is the program's name in parentheses and may hold blanks and parentheses of its own.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const [state, ppid, group] = fields
  const startTime = fields[19]
  if (state === undefined || ppid === undefined || group === undefined || startTime === undefined) return null
  return { pid, ppid: Number(ppid), group: Number(group), zombie: state === "Z" || state === "X", startTime }
}

/** Every pid there is; empty where there is no `/proc`. */
export const pids = (): ReadonlyArray<number> => {
  try {
    return readdirSync("/proc").flatMap((name) => (/^[0-9]+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

/** Whether the process was started with `TROUPE_LEASE=<lease>` in its environment. */
export const carries = (pid: number, lease: string): boolean => {
  const environ = read(`/proc/${pid}/environ`)
  if (environ === null) return false
  const entry = `${leaseVariable}=${lease}\0`
  return environ.startsWith(entry) || environ.includes(`\0${entry}`)
}

/** `secrets`: known values, besides what looks like one. */
export const info = (stat: Stat, secrets: ReadonlyArray<string>): ProcessInfo => ({
  pid: stat.pid,
  ppid: stat.ppid,
  startTime: stat.startTime,
  startedAt: startedAt(stat.startTime),
  // Cut after: a secret at the edge must still be whole when it is looked for.
  command:
    redact((read(`/proc/${stat.pid}/cmdline`) ?? "").replaceAll("\0", " ").trim().slice(0, 8_000), secrets).slice(
      0,
      1_000
    ) || `[${stat.pid}]`,
  rssBytes: Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(read(`/proc/${stat.pid}/status`) ?? "")?.[1] ?? 0) * 1024
})

/** `USER_HZ`, the same on every Linux that Node runs on: the kernel's own ticks are translated to it (proc(5)). */
const ticksPerSecond = 100

/** Counted from the boot by the clock that goes on in a suspended machine, as start times are. */
const startedAt = (startTime: string): number | null => {
  const upSeconds = Number(read("/proc/uptime")?.split(" ")[0] ?? NaN)
  const at = Date.now() - (upSeconds - Number(startTime) / ticksPerSecond) * 1_000
  return Number.isFinite(at) ? Math.round(at) : null
}

/** Whether this machine has a `/proc` to read. */
export const readable: boolean = existsSync("/proc/self/stat")

/** Is there any process in this group that can still run? Asks the kernel where `/proc` can't be asked. */
export const groupExists = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    return false
  }
}

/** Sends a signal to a process, or to a group (negative pid). A target that is gone already is no failure. */
export const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: it went by itself. EPERM: it belongs to somebody else now, and is none of ours.
  }
}

/** Names this boot; where the kernel does not say, a name that no later start can match, so pids are never trusted. */
export const bootId = (): string => read("/proc/sys/kernel/random/boot_id")?.trim() ?? `unknown-${crypto.randomUUID()}`

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return null
  }
}
