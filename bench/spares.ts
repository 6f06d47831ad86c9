/**
 * What a session's start costs with a warm spare, and without one: its first turn, and codex's first after a sleep,
 * compared with the same requests over a bare pipe to a process that is up already.
 *
 * Needs the real agents of `test/real` (`node test/real/install.ts`); they ask a model on a loopback port. Where they are
 * not installed nothing is measured, and that is said.
 */
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { codexConfig, environment, real } from "../test/real/harness/agentHome.ts"
import * as Model from "../test/real/models/Model.ts"
import type { RawAgentsCalls, RealAgent } from "./rawAgents.ts"
import { median } from "./sample.ts"
import type { SpareTroupeCalls } from "./spareTroupe.ts"
import { millis, times } from "./table.ts"
import type { Row } from "./table.ts"
import { start } from "./worker.ts"

export interface SparesPlan {
  readonly rounds: number
}

const goals = { first: 1.2, wake: 1.1 }

const agents: ReadonlyArray<RealAgent> = ["codex", "claude"]
const programs = { codex: "codex", claude: "claude-agent-acp" } as const
const programOf = (agent: RealAgent) => join(real, "node_modules/.bin", programs[agent])

/** Why nothing can be measured; `null`: it can. */
export const missing = (): string | null => {
  const absent = agents.filter((agent) => !existsSync(programOf(agent)))
  return absent.length === 0
    ? null
    : `${absent.map((agent) => programs[agent]).join(" and ")} not installed (node test/real/install.ts): no figures of spares`
}

/** Not below the temporary directory, where codex makes no helpers. */
const makeHome = async (port: number) => {
  const home = await mkdtemp("/var/tmp/troupe-bench-spares-")
  for (const name of ["home", "tmp", "work", "codex", "with", "without"]) await mkdir(join(home, name))
  await cp(join(real, "models/models.json"), join(home, "codex/models.json"))
  await writeFile(join(home, "codex/config.toml"), codexConfig(join(home, "codex"), port))
  return home
}

export const measure = ({ rounds }: SparesPlan): Promise<ReadonlyArray<Row>> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(Model.start, ({ port }) => Effect.promise(() => measureWith(port, rounds))))
  )

const measureWith = async (port: number, rounds: number) => {
  const home = await makeHome(port)
  const env = environment(home, port)
  const json = JSON.stringify({
    codex: { command: [programOf("codex"), "app-server"], env },
    claude: { command: [programOf("claude")], env }
  })
  const raw = start<RawAgentsCalls>("rawAgents.ts", [json])
  const warm = start<SpareTroupeCalls>("spareTroupe.ts", [join(home, "with"), "1", json])
  const cold = start<SpareTroupeCalls>("spareTroupe.ts", [join(home, "without"), "0", json])
  const cwd = join(home, "work")
  const rows: Array<Row> = []
  try {
    for (const agent of agents) {
      const of = { raw: [] as Array<number>, warm: [] as Array<number>, cold: [] as Array<number> }
      for (let round = 0; round <= rounds; round++) {
        const measured = { raw: (await raw.call("first", { agent, cwd })).millis, warm: 0, cold: 0 }
        for (const [name, troupe] of [["warm", warm] as const, ["cold", cold] as const]) {
          // The first round has no spare, and nothing of it is counted.
          if (round > 0) await troupe.call("warm", { agent })
          const { id, millis } = await troupe.call("first", { agent, cwd })
          measured[name] = millis
          await troupe.call("close", { id })
        }
        if (round === 0) continue
        for (const name of ["raw", "warm", "cold"] as const) of[name].push(measured[name])
      }
      rows.push(...rowsOf(`first turn of a session, ${agent}`, of, goals.first))
    }
    rows.push(...(await measureWakes({ raw, warm, cold }, cwd, rounds)))
    return rows
  } finally {
    await Promise.all([raw.end(), warm.end(), cold.end()])
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

interface Sides {
  readonly raw: ReturnType<typeof start<RawAgentsCalls>>
  readonly warm: ReturnType<typeof start<SpareTroupeCalls>>
  readonly cold: ReturnType<typeof start<SpareTroupeCalls>>
}

const measureWakes = async ({ cold, raw, warm }: Sides, cwd: string, rounds: number) => {
  const of = { raw: [] as Array<number>, warm: [] as Array<number>, cold: [] as Array<number> }
  const { thread } = await raw.call("first", { agent: "codex", cwd })
  const sessions = {
    warm: (await warm.call("first", { agent: "codex", cwd })).id,
    cold: (await cold.call("first", { agent: "codex", cwd })).id
  }
  for (let round = 0; round < rounds; round++) {
    of.raw.push((await raw.call("resume", { cwd, thread })).millis)
    for (const [name, troupe] of [["warm", warm] as const, ["cold", cold] as const]) {
      await troupe.call("asleep", { id: sessions[name] })
      await troupe.call("warm", { agent: "codex" })
      of[name].push((await troupe.call("turn", { id: sessions[name] })).millis)
    }
  }
  return rowsOf("first turn after a sleep, codex", of, goals.wake)
}

const rowsOf = (
  what: string,
  of: Readonly<Record<"raw" | "warm" | "cold", ReadonlyArray<number>>>,
  goal: number
): ReadonlyArray<Row> =>
  (["warm", "cold"] as const).map((name) => {
    const ratio = median(of[name]) / median(of.raw)
    return {
      what: `${what}, ${name === "warm" ? "with a spare" : "without"}: p50`,
      troupe: millis(median(of[name])),
      reference: millis(median(of.raw)),
      comparison: times(ratio),
      ...(name === "warm" ? { goal: { text: `<= ${times(goal)}`, met: ratio <= goal } } : {})
    }
  })
