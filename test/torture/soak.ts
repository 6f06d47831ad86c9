/**
 * `npm run soak -- --minutes N`: the real server under sessions that come and go, and how its memory, files, timers and
 * ledger grow: over the second half, when it is warm. It fails where a process is left, not by a slope.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { processesOf } from "./processes.ts"
import { Server } from "./Server.ts"
import type { Answer } from "./Server.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    sessions: { type: "string", default: "200" },
    processes: { type: "string", default: "20" }
  }
})
const [minutes, sessions, processes] = [Number(values.minutes), Number(values.sessions), Number(values.processes)]
const sampleMillis = 5_000
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

interface Sample {
  readonly seconds: number
  readonly turns: number
  readonly rssBytes: number
  readonly files: number
  readonly timers: number
  readonly walBytes: number
  readonly ledgerBytes: number
}

const directory = mkdtempSync(join(tmpdir(), "troupe-soak-"))
const server = new Server(directory, `soak-${process.pid}`, processes)
const began = Date.now()
let turns = 0
/** What did not work, by what was answered: on a machine that is busy, turns wait for longer than this client. */
const failed = new Map<string, number>()
const fail = (answer: Answer | null) => {
  const kind =
    answer === null ? "no answer in time" : `${answer.status} ${answer.json.error_class ?? answer.json.error}`
  failed.set(kind, (failed.get(kind) ?? 0) + 1)
}
let nth = 0

/** One session after the other: some turns, with pauses in which its process may be ended for another, and its close. */
const churn = async (until: number) => {
  while (Date.now() < until) {
    const created = await server.call("POST", "/sessions", { cwd: directory, permissions: "approve_all" })
    const id = created?.json.session_id
    if (typeof id !== "string") {
      fail(created)
      await pause(1_000)
      continue
    }
    for (let left = 3 + (nth % 6); left > 0 && Date.now() < until; left--) {
      // No multiple of 5, 7 or 31, with which the agent leaves children or dies.
      do nth++
      while ([5, 7, 31].some((divisor) => nth % divisor === 0))
      const answer = await server.call("POST", `/sessions/${id}/turn`, { prompt: `turn ${nth}` })
      if (answer?.json.ok === true) turns++
      else fail(answer)
      await pause((nth * 37) % 4_000)
    }
    await server.call("DELETE", `/sessions/${id}`)
  }
}

const sizeOf = (file: string) => {
  try {
    return statSync(join(directory, ".troupe", file)).size
  } catch {
    return 0
  }
}

const sample = async (): Promise<Sample> => {
  const pid = server.pid ?? 0
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
  return {
    seconds: (Date.now() - began) / 1000,
    turns,
    rssBytes: pages * 4096,
    files: readdirSync(`/proc/${pid}/fd`).length,
    timers: Number(/^troupe_timers (\d+)/m.exec((await server.metrics()) ?? "")?.[1] ?? Number.NaN),
    walBytes: sizeOf("troupe.sqlite-wal"),
    ledgerBytes: sizeOf("troupe.sqlite")
  }
}

/** By how much `of` grows for each unit of `per`: the line with the least squares. */
const slope = (samples: ReadonlyArray<Sample>, of: keyof Sample, per: keyof Sample): number => {
  const mean = (key: keyof Sample) => samples.reduce((sum, each) => sum + each[key], 0) / samples.length
  const [x, y] = [mean(per), mean(of)]
  const above = samples.reduce((sum, each) => sum + (each[per] - x) * (each[of] - y), 0)
  return above / samples.reduce((sum, each) => sum + (each[per] - x) ** 2, 0)
}

const report = (samples: ReadonlyArray<Sample>) => {
  const warm = samples.slice(Math.floor(samples.length / 2))
  const [first, last] = [warm[0]!, warm.at(-1)!]
  const line = (name: string, key: keyof Sample, unit: number, name2: string) =>
    console.log(
      `${name.padEnd(18)} ${(first[key] / unit).toFixed(1).padStart(9)} → ${(last[key] / unit).toFixed(1).padStart(9)} ${name2}   ` +
        `${((slope(warm, key, "seconds") * 3600) / unit).toFixed(1)} an hour, ${((slope(warm, key, "turns") * 1000) / unit).toFixed(2)} in 1,000 turns`
    )
  console.log(
    `${turns} turns (failed: ${JSON.stringify(Object.fromEntries(failed))}) in ${minutes} min, ${sessions} sessions at once, ${processes} processes`
  )
  line("memory", "rssBytes", 1024 * 1024, "MiB")
  line("open files", "files", 1, "")
  line("timers", "timers", 1, "")
  line("ledger", "ledgerBytes", 1024 * 1024, "MiB")
  line("WAL", "walBytes", 1024 * 1024, "MiB")
}

try {
  await server.start()
  const until = Date.now() + minutes * 60_000
  const clients = Array.from({ length: sessions }, () => churn(until))
  const samples: Array<Sample> = []
  while (Date.now() < until) {
    await pause(sampleMillis)
    samples.push(await sample())
  }
  await Promise.all(clients)
  server.signal("SIGTERM")
  await server.gone()
  report(samples)
  const left = processesOf(server.run)
  console.log(`${left.length} processes left`)
  if (left.length > 0) process.exitCode = 1
} finally {
  server.signal("SIGKILL")
  for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
  rmSync(directory, { recursive: true, force: true })
}
