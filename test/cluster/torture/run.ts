/**
 * A whole run: nodes, apps with a session each in every state, faults from one seed, and then what must hold of all of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { diceOf } from "../../simulation/random.ts"
import { askAgain, newApp, readEvents } from "../../torture/clients.ts"
import { lossesOf } from "../../torture/losses.ts"
import { processesOf } from "../../torture/processes.ts"
import { Cluster } from "./Cluster.ts"
import { faults } from "./faults.ts"
import type { FaultName } from "./faults.ts"
import { habits, live } from "./habits.ts"
import { problemsOf } from "./history.ts"
import { heldAfter, lateTurns, leasesLeft, ownFaults, remainsOf } from "./rest.ts"
import { Sampler } from "./Sampler.ts"
import * as Witness from "./witness.ts"

export interface RunOptions {
  readonly seed: number
  readonly sessions: number
  /** Which faults come, one after the other. */
  readonly faults: Iterable<FaultName>
  /** No fault begins later. */
  readonly millis: number
  readonly program?: string
}

export interface RunOutcome {
  readonly problems: ReadonlyArray<string>
  /** How often each fault came. */
  readonly counts: Readonly<Partial<Record<FaultName, number>>>
  readonly turns: number
  readonly prompts: number
  readonly events: number
  readonly claims: number
  readonly agents: number
  readonly samples: number
  readonly starts: number
  /** From the end of the last fault until nothing was held any more. */
  readonly restMillis: number
  readonly logs: () => string
}

const leaseMillis = 4_000
/** Of a turn: its own time, a database that is away, a lease, and as much again for a machine that is busy. */
const outcomeWithinMillis = 2 * (60_000 + 60_000 + leaseMillis + 5_000)
/** When faults and apps have ended. The longest wait is a start of an agent that was put off three times. */
const restWithinMillis = 120_000

const end = (pid: number) => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It ended meanwhile.
  }
}

const close = async ({ door }: Cluster, session: string) => {
  const isClosed = async () => (await door.call("DELETE", `/sessions/${session}`))?.status === 200
  for (const until = Date.now() + restWithinMillis; !(await isClosed()) && Date.now() < until;) await pause(250)
}

export const runCluster = async (options: RunOptions): Promise<RunOutcome> => {
  const { seed, sessions } = options
  const dice = diceOf(seed)
  const directory = mkdtempSync(join(tmpdir(), "troupe-cluster-"))
  const run = `cluster-${process.pid}-${seed}-${directory.slice(-6)}`
  writeFileSync(join(directory, "prompts.log"), "")
  const maxProcesses = Math.max(2, Math.ceil(sessions / 5))
  const endAll = () => processesOf(run).forEach(({ pid }) => end(pid))
  process.on("exit", endAll)
  const cluster = await Cluster.open(
    {
      directory,
      run,
      maxProcesses,
      leaseMillis,
      ...(options.program === undefined ? {} : { program: options.program })
    },
    ["first", "second", "third"],
    diceOf(seed + 1)
  )
  const sampler = new Sampler(run)
  let problems: ReadonlyArray<string> = ["it did not come to its end"]
  try {
    const faultsEnd = { at: Date.now() + options.millis }
    const habitOf = (nth: number) => habits[nth % habits.length]!
    const apps = await Promise.all(
      Array.from({ length: sessions }, (_, nth) => {
        const { agent, state } = habitOf(nth)
        return newApp(cluster.door, nth, { agent, permissions: state === "turning.asking" ? "ask" : "approve_all" })
      })
    )
    const reading = new AbortController()
    const readers = apps.map((app) => readEvents(cluster.door, app, reading.signal))
    const clients = apps.map((app, nth) =>
      live(cluster.door, app, habitOf(nth), nth, diceOf(seed + 2 + nth), () => faultsEnd.at)
    )
    const counts: Partial<Record<FaultName, number>> = {}
    const victims = {
      cluster,
      dice,
      sessions: apps.map(({ session }) => session),
      unguarded: new Set<string>(),
      clocks: new Set([0])
    }
    for (const name of options.faults) {
      await pause(dice.between(300, 3_000))
      if (Date.now() > faultsEnd.at) break
      counts[name] = (counts[name] ?? 0) + 1
      await faults[name](victims)
    }
    faultsEnd.at = Math.min(faultsEnd.at, Date.now())
    const healed = Date.now()
    await Promise.all(clients)
    // The same keys again, at any node.
    const again = apps.map(async (app) => {
      const last = app.submitted.findLast(({ ends }) => ends.size > 0)
      if (last !== undefined) await askAgain(cluster.door, app, last, () => Date.now() + 30_000)
    })
    await Promise.all(again)
    await Promise.all(apps.map(({ session }) => close(cluster, session)))
    const held = await heldAfter(cluster, restWithinMillis)
    const restMillis = Date.now() - healed
    const remains = await remainsOf(cluster)
    const lastOf = new Map(remains.events.map(({ last, session }) => [session, last]))
    const isRead = () => apps.every(({ last, session }) => last === (lastOf.get(session) ?? 0))
    for (const until = Date.now() + 30_000; !isRead() && Date.now() < until;) await pause(100)
    reading.abort()
    await Promise.all(readers)
    const wrong = [...(await lateTurns(cluster, outcomeWithinMillis, victims.clocks)), ...(await ownFaults(cluster))]
    const witnessed = await Witness.read(cluster.postgres.url)
    const drained = cluster.up.map((node) => {
      node.isWanted = false
      return node.end("SIGTERM")
    })
    await Promise.all(drained)
    sampler.stop()
    const processes = processesOf(run).filter(({ command }) => !command.includes("postgres"))
    problems = [
      ...problemsOf({ witnessed, leaseMillis, lives: sampler.lives, unguarded: victims.unguarded }),
      ...lossesOf({ ...remains, processes }, apps),
      ...held,
      ...wrong,
      ...(await leasesLeft(cluster))
    ]
    const logs = cluster.nodes.map(({ name, server }) => `--- ${name}\n${server.log}`).join("\n")
    return {
      problems,
      counts,
      turns: remains.turns.length,
      prompts: remains.prompts.length,
      events: remains.events.reduce((sum, { count }) => sum + count, 0),
      claims: witnessed.owners.length,
      agents: sampler.lives.size,
      samples: sampler.samples,
      starts: cluster.nodes.reduce((sum, { server }) => sum + server.starts, 0),
      restMillis,
      logs: () => logs
    }
  } finally {
    sampler.stop()
    await cluster.close()
    endAll()
    process.off("exit", endAll)
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  }
}
