/** The processes of a run, found by a variable of their environment that all of an agent's descendants inherit. */
import { readdirSync, readFileSync } from "node:fs"

export interface Found {
  readonly pid: number
  readonly command: string
}

export const processesOf = (run: string): ReadonlyArray<Found> =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const environment = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0")
        if (!environment.includes(`TORTURE_RUN=${run}`)) return []
        const state = /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${entry}/stat`, "latin1"))?.[1]
        if (state === "Z") return []
        const command = readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ").trim()
        return [{ pid: Number(entry), command }]
      } catch {
        return []
      }
    })
