/**
 * A mark of a lease that descendants can't clear with their environment: the hard limit of `RLIMIT_RTTIME`.
 *
 * Resource limits are inherited by fork and by exec, whatever a process does to its environment, group and session; and
 * without `CAP_SYS_RESOURCE` a hard limit can only be lowered. This one bounds the time that a thread with a realtime
 * policy may run without waiting. The value of a mark is above 70,000 years, so that it bounds nothing; and anybody can
 * read it in `/proc/<pid>/limits`, also of another user's process (proc_pid_limits(5), getrlimit(2)).
 *
 * Node can't set limits, so `prlimit` of util-linux does. Where there is none, descendants are found by group and by
 * `TROUPE_LEASE` only. No mark has a daemon that is gone from its group within the first milliseconds of its agent, a
 * descendant that lowers this very limit, and one that another program starts on its behalf (`at`, `systemd-run`, a
 * container's daemon).
 */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { limitsOf } from "./processTable.ts"

/** By its path: the search path may have directories that agents write to. */
export const program: string | null = ["/usr/bin/prlimit", "/bin/prlimit"].find((path) => existsSync(path)) ?? null

/** The same for the same lease, also for the Troupe that comes after this one. From 2^61 on; a limit has 64 bits. */
export const markOf = (lease: string): string => {
  const hash = createHash("sha256").update(lease).digest().readBigUInt64BE()
  return String((1n << 61n) | (hash >> 4n))
}

/** The limit that a process has; `null`: it is gone, or has none of that size, which nobody sets for its own purpose. */
export const markIn = (pid: number | "self"): string | null => {
  const hard = /^Max realtime timeout\s+\S+\s+([0-9]{19,20})\s/m.exec(limitsOf(pid) ?? "")
  return hard?.[1] ?? null
}

/**
 * Whether children are marked. Not below a Troupe whose agent started this one: what we would mark would lose its mark,
 * and a mark can't be raised.
 */
export const marks: boolean = program !== null && existsSync("/proc/self/limits") && markIn("self") === null
