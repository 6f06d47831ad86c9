/**
 * The running processes of one test, read from `/proc` and recognised by their environment.
 *
 * Every process that a test starts has the test's own directory in its environment (`HOME`, `TMPDIR`), and its children
 * inherit it: agents, what agents run, and processes without Troupe's marker. So no process of a test is missed.
 */
import { readFileSync, readdirSync } from "node:fs"

export interface Running {
  readonly pid: number
  readonly parent: number
  readonly command: string
  /** `TROUPE_LEASE`, where it carries one. */
  readonly lease: string | null
}

/** All except this process. Zombies have no environment and are not running. */
export const processesOf = (directory: string): ReadonlyArray<Running> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0")
        if (!environment.some((variable) => variable.includes(directory))) return []
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        return {
          pid: Number(name),
          // The name in field 2 may hold spaces and parentheses; the rest begins after its last one.
          parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]),
          command: readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim(),
          lease: environment.find((variable) => variable.startsWith("TROUPE_LEASE="))?.slice(13) ?? null
        }
      } catch {
        // It ended while it was looked at.
        return []
      }
    })

/** Its parent has collected its exit status, or its parent is process 1, which in a container may never do so. */
export const isReaped = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z 1 /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return true
  }
}

/** `false`: there is no such process. */
export const kill = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
