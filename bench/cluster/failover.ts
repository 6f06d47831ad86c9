/** Measures how long a session is nobody's: from the kill of its node, or its SIGTERM, to the answer of its next turn. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Cluster } from "../../test/cluster/torture/Cluster.ts"
import { problemsOf } from "../../test/cluster/torture/history.ts"
import { heldAfter, remainsOf } from "../../test/cluster/torture/rest.ts"
import { Sampler } from "../../test/cluster/torture/Sampler.ts"
import * as Witness from "../../test/cluster/torture/witness.ts"
import { diceOf } from "../../test/simulation/random.ts"
import { newApp, readEvents, submitTurn } from "../../test/torture/clients.ts"
import type { App } from "../../test/torture/clients.ts"
import { lossesOf } from "../../test/torture/losses.ts"
import { processesOf } from "../../test/torture/processes.ts"
import { quantile } from "../sample.ts"
import type { Row } from "../table.ts"

const leaseMillis = 4_000
const seconds = (millis: number) => `${(millis / 1_000).toFixed(2)} s`

/** From the signal to the answer of the session's next turn, asked of another node at once. */
const once = async (cluster: Cluster, app: App, nth: number, signal: "SIGKILL" | "SIGTERM") => {
  // Its agent has gone to sleep since the turn before, or with its node.
  while ((await cluster.door.call("GET", `/sessions/${app.session}`))?.json.process?.pid != null) await pause(50)
  const asked = performance.now()
  await submitTurn(cluster.door, app, `${nth}-warm`, `say ${nth * 10 + 1}`, () => Infinity)
  const cold = performance.now() - asked
  const owner = await cluster.ownerOf(app.session)
  const other = cluster.up.find((node) => node !== owner)
  if (owner === undefined || other === undefined) throw new Error("the session has no owner")
  if (signal === "SIGKILL") {
    // In the middle of a turn, which is lost with its node.
    const body = { prompt: `hang ${nth * 10 + 2}`, queue: true, wait: false }
    await other.server.call("POST", `/sessions/${app.session}/turn`, body, `${nth}-lost`)
    while (cluster.door.taker(body.prompt) === null) await pause(20)
  }
  const began = performance.now()
  const exit = owner.end(signal).then(() => performance.now() - began)
  if (signal === "SIGKILL") await exit
  const body = { prompt: `say ${nth * 10 + 3}`, queue: true }
  for (;;) {
    const answer = await other.server.call("POST", `/sessions/${app.session}/turn`, body, `${nth}-next`)
    if (answer?.json.ok === true) break
    // It has its outcome, and no other one will come.
    if (typeof answer?.json.turn_index === "number") throw new Error(JSON.stringify(answer))
    await pause(50)
  }
  const took = performance.now() - began
  const gone = await exit
  await owner.up()
  return { took, gone, cold }
}

export const measure = async (program: string, times: number): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-failover-"))
  const run = `failover-${process.pid}`
  writeFileSync(join(directory, "prompts.log"), "")
  const options = { directory, run, maxProcesses: 20, leaseMillis, program }
  const cluster = await Cluster.open(options, ["first", "second", "third"], diceOf(1))
  const sampler = new Sampler(run)
  try {
    const apps = await Promise.all([0, 1, 2].map((nth) => newApp(cluster.door, nth)))
    const reading = new AbortController()
    const readers = apps.map((app) => readEvents(cluster.door, app, reading.signal))
    const taken = { SIGKILL: new Array<number>(), SIGTERM: new Array<number>() }
    const gone: Array<number> = []
    const cold: Array<number> = []
    for (let nth = 0; nth < times; nth++) {
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        const one = await once(cluster, apps[nth % apps.length]!, 2 * nth + (signal === "SIGTERM" ? 1 : 0), signal)
        taken[signal].push(one.took)
        cold.push(one.cold)
        if (signal === "SIGTERM") gone.push(one.gone)
      }
    }
    for (const { session } of apps) await cluster.door.call("DELETE", `/sessions/${session}`)
    const held = await heldAfter(cluster, 60_000)
    const remains = await remainsOf(cluster)
    const lastOf = new Map(remains.events.map(({ last, session }) => [session, last]))
    for (let tries = 0; tries < 300 && !apps.every((app) => app.last === lastOf.get(app.session)); tries++) {
      await pause(100)
    }
    reading.abort()
    await Promise.all(readers)
    const witnessed = await Witness.read(cluster.postgres.url)
    const problems = [
      ...held,
      ...lossesOf({ ...remains, processes: [] }, apps),
      ...problemsOf({ witnessed, leaseMillis, lives: sampler.lives, unguarded: new Set() })
    ]
    for (const problem of problems) console.log(problem)
    const count = (pattern: RegExp) => problems.filter((problem) => pattern.test(problem)).length
    const never = (what: string, number: number): Row => ({
      what,
      troupe: String(number),
      reference: "",
      comparison: "",
      goal: { text: "0", met: number === 0 }
    })
    const time = (what: string, millis: ReadonlyArray<number>, goal?: number): ReadonlyArray<Row> =>
      [0.5, 0.99].map((part) => {
        const value = quantile([...millis], part)
        return {
          what: `${what}: p${part * 100} of ${millis.length}`,
          troupe: seconds(value),
          reference: `${seconds(leaseMillis)} lease`,
          comparison: `x${(value / leaseMillis).toFixed(2)}`,
          ...(goal === undefined ? {} : { goal: { text: `<= ${seconds(goal)}`, met: value <= goal } })
        }
      })
    return [
      ...time("a turn that starts an agent, where nothing ends", cold),
      ...time("kill -9 of the owner to the next turn answered", taken.SIGKILL, 5_000),
      ...time("SIGTERM of the owner to the next turn answered", taken.SIGTERM, 1_000),
      ...time("SIGTERM to the end of the node", gone),
      never("readers' gaps, repeats and missing ends", count(/reader of/)),
      never("prompts that reached an agent twice", count(/reached an agent/)),
      never("turns without an outcome, or with two", count(/no outcome|more than one turn|was answered with/)),
      never("two agents of a session at a sample", count(/had two agents/)),
      never("anything else that does not hold", problems.length)
    ]
  } finally {
    sampler.stop()
    await cluster.close()
    for (const { pid } of processesOf(run)) process.kill(pid, "SIGKILL")
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  }
}
