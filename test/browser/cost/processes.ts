/** How much of a core the processes of this program's browser use, by the kernel's counts. */
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"

/** Shares of a core. */
export interface Costs {
  /** The page's process, all of its threads. */
  readonly renderer: number
  /** Its script, styles and layout. */
  readonly main: number
  /** Its threads that paint. */
  readonly raster: number
  /** Those of Chromium's other processes: the browser, what puts pictures together, the network. */
  readonly others: number
  readonly server: number
}

/** Of `/proc/PID/stat`: what Linux has used since 2.6 on every platform. */
const ticksPerSecond = 100

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // It has ended.
    return ""
  }
}

const statOf = (path: string) => {
  const text = read(path)
  const [name = ""] = /\(.*\)/.exec(text) ?? []
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return { name: name.slice(1, -1), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
}

const pids = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** Descendants of this program that are Chromium. */
const browsers = (): ReadonlyArray<number> => {
  const parents = new Map(pids().map((pid) => [pid, statOf(`/proc/${pid}/stat`).parent] as const))
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === process.pid) return true
    return false
  }
  return [...parents.keys()].filter(
    (pid) => isOurs(pid) && /chrom/.test(read(`/proc/${pid}/cmdline`).split("\0")[0] ?? "")
  )
}

const look = (server: number) => {
  const found = { renderer: 0, main: 0, raster: 0, others: 0, server: statOf(`/proc/${server}/stat`).ticks || 0 }
  for (const pid of browsers()) {
    const { ticks } = statOf(`/proc/${pid}/stat`)
    if (!read(`/proc/${pid}/cmdline`).includes("--type=renderer")) {
      found.others += ticks
      continue
    }
    found.renderer += ticks
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const { name, ticks } = statOf(`/proc/${pid}/task/${thread}/stat`)
      if (Number(thread) === pid) found.main += ticks
      else if (name.startsWith("CompositorTile") || name.startsWith("ThreadPoolForeg")) found.raster += ticks
    }
  }
  return found
}

export const costs = async (server: number, seconds: number): Promise<Costs> => {
  const [before, began] = [look(server), performance.now()]
  await delay(seconds * 1_000)
  const [after, took] = [look(server), (performance.now() - began) / 1_000]
  const share = (name: keyof Costs) => (after[name] - before[name]) / ticksPerSecond / took
  return {
    renderer: share("renderer"),
    main: share("main"),
    raster: share("raster"),
    others: share("others"),
    server: share("server")
  }
}
