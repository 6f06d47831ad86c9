/**
 * `npm run torture -- --minutes N [--seed S]`: the real server with twenty sessions, whose processes are killed and
 * stopped at random, and then what must hold: each prompt reached an agent at most once, each key has one turn, each
 * accepted turn has one outcome, no reader missed or repeated an event, and no process is left, nor outlived its server by
 * more than its warden takes.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { diceOf } from "../simulation/random.ts"
import { newApp, readEvents, submitTurns } from "./clients.ts"
import { lossesOf, remainsOf } from "./losses.ts"
import { processesOf } from "./processes.ts"
import { Server } from "./Server.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    sessions: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) }
  }
})
const [minutes, sessions, seed] = [Number(values.minutes), Number(values.sessions), Number(values.seed)]
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const accidents = {
  server: 3,
  machine: 1,
  drain: 1,
  agent: 6,
  child: 3,
  stopServer: 2,
  stopAgent: 2,
  nothing: 4
} as const
type Accident = keyof typeof accidents

const signal = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended meanwhile.
  }
}

/** What outlived its server. The kernel takes a moment to end what the warden kills, and a busy machine some more. */
const outlived: Array<string> = []
const leftOf = async (server: Server): Promise<ReadonlyArray<string>> => {
  const until = Date.now() + 10_000
  while (processesOf(server.run).length > 0 && Date.now() < until) await pause(20)
  return processesOf(server.run).map(({ command, pid }) => `process ${pid} outlived its server: ${command}`)
}

const torture = async (server: Server, until: number, counts: Record<Accident, number>) => {
  const dice = diceOf(seed)
  const agents = () => processesOf(server.run).filter(({ command }) => command.includes("agent.mjs"))
  const children = () => processesOf(server.run).filter(({ command }) => command.includes("sleep"))
  while (Date.now() < until) {
    await pause(dice.between(200, 3_000))
    const accident = dice.weighted(accidents)
    counts[accident]++
    switch (accident) {
      case "server":
      case "machine":
      case "drain": {
        if (accident === "machine") server.killWithWarden()
        else server.signal(accident === "server" ? "SIGKILL" : "SIGTERM")
        await server.gone()
        if (accident !== "machine") outlived.push(...(await leftOf(server)))
        await server.start()
        break
      }
      case "agent":
      case "child": {
        const found = accident === "agent" ? agents() : children()
        if (found.length > 0) signal(dice.pick(found).pid, "SIGKILL")
        break
      }
      case "stopServer": {
        server.signal("SIGSTOP")
        await pause(dice.between(500, 6_000))
        server.signal("SIGCONT")
        break
      }
      case "stopAgent": {
        const found = agents()
        if (found.length === 0) break
        const { pid } = dice.pick(found)
        signal(pid, "SIGSTOP")
        await pause(dice.between(100, 2_000))
        signal(pid, "SIGCONT")
      }
    }
  }
}

const directory = mkdtempSync(join(tmpdir(), "troupe-torture-"))
const server = new Server(directory, `run-${process.pid}-${seed}`)
const counts = Object.fromEntries(Object.keys(accidents).map((name) => [name, 0])) as Record<Accident, number>
console.log(`seed ${seed}, ${minutes} min, ${sessions} sessions`)
let problems: ReadonlyArray<string> = ["it did not come to its end"]
try {
  await server.start()
  const apps = await Promise.all(Array.from({ length: sessions }, (_, nth) => newApp(server, nth)))
  const reading = new AbortController()
  const readers = apps.map((app) => readEvents(server, app, reading.signal))
  const until = Date.now() + minutes * 60_000
  const clients = apps.map((app, nth) => submitTurns(server, app, nth, () => until))
  await torture(server, until, counts)
  await Promise.all(clients)
  await Promise.all(apps.map(({ session }) => server.call("DELETE", `/sessions/${session}`)))
  // The last events reach the readers before the streams end.
  await pause(3_000)
  reading.abort()
  await Promise.all(readers)
  server.signal("SIGTERM")
  await server.gone()
  problems = [...outlived, ...lossesOf(remainsOf(server), apps)]
  const turns = apps.reduce((sum, { submitted }) => sum + submitted.length, 0)
  const handed = readFileSync(server.prompts, "utf8").split("\n").length - 1
  console.log(`${turns} turns, ${handed} prompts handed over, ${server.starts} starts; ${JSON.stringify(counts)}`)
} finally {
  server.signal("SIGKILL")
  for (const { pid } of processesOf(server.run)) signal(pid, "SIGKILL")
}
if (problems.length > 0) {
  console.log(server.log)
  console.log(`${problems.length} problems; the data dir is ${directory}`)
  console.log(problems.slice(0, 40).join("\n"))
  process.exitCode = 1
} else {
  rmSync(directory, { recursive: true, force: true })
  console.log("nothing is lost, repeated or left")
}
