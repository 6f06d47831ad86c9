/**
 * `npm run page-cost [-- PROGRAM …]`: what the page of a session costs while its agent says 50 pieces a second, in shares of a
 * core, read off the kernel's counts of Chromium's processes. Several builds take turns: `PROGRAM` is the `main.js` of one.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { main } from "../../builtProgram.ts"
import { makeWorkspace } from "../../cli/program.ts"
import { launch, shoot } from "../chromium.ts"
import { adminToken, logIn, startTroupe, until } from "../harness.ts"
import type { RunningTroupe } from "../harness.ts"
import { costs } from "./processes.ts"
import type { Costs } from "./processes.ts"

const rounds = Number(process.env["ROUNDS"] ?? 3)
const seconds = Number(process.env["SECONDS"] ?? 20)
/** Until the page has settled. */
const settleMillis = 4_000

const agents = { talker: { protocol: "acp", command: [process.execPath, join(import.meta.dirname, "agent.ts")] } }

const build = async (program: string) => {
  const workspace = makeWorkspace(program)
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
  const troupe = await startTroupe({ TROUPE_WARM_SPARES: "0" }, workspace)
  return { program, troupe, app: await troupe.mint("desk") }
}

/** Of a page in a browser of its own, which shows `at`. */
const measured = async (troupe: RunningTroupe, at: string, name: string): Promise<Costs> => {
  const browser = await launch()
  try {
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 } })
    const page = await context.newPage()
    await page.goto(at)
    if (at !== "about:blank") {
      await logIn(page, adminToken)
      await until(
        () => page.locator(".transcript").textContent(),
        (text) => (text?.length ?? 0) > 2_000
      )
    }
    await delay(settleMillis)
    const found = await costs(troupe.program().pid ?? 0, seconds)
    await shoot(page, `cost-${name}`)
    return found
  } finally {
    await browser.close()
  }
}

const builds: Array<Awaited<ReturnType<typeof build>>> = []
try {
  const given = process.argv.slice(2)
  for (const program of given.length === 0 ? [main] : given) builds.push(await build(program))
  const [first] = builds
  if (first === undefined) throw new Error("No build")
  const say = (what: string, cost: Costs) =>
    process.stdout.write(
      `${what}: ${Object.entries(cost)
        .map(([name, share]) => `${name} ${(share * 100).toFixed(1)} %`)
        .join(", ")}\n`
    )
  say("a blank page", await measured(first.troupe, "about:blank", "blank"))
  const all = new Map<string, Array<Costs>>()
  for (let round = 1; round <= rounds; round++)
    for (const [n, { app, program, troupe }] of builds.entries()) {
      const id = await troupe.create(app, { agent: "talker", permissions: "approve_all" })
      await troupe.begin(app, id, "tell me all")
      const cost = await measured(troupe, `${troupe.url}/inspect/#/sessions/${id}`, `build-${n}`)
      await troupe.call("DELETE", `/sessions/${id}`, app)
      say(`${round} ${program}`, cost)
      all.set(program, [...(all.get(program) ?? []), cost])
    }
  for (const [program, each] of all) {
    const names = Object.keys(each[0] ?? {}) as ReadonlyArray<keyof Costs>
    const median = (name: keyof Costs) =>
      each.map((cost) => cost[name]).toSorted((a, b) => a - b)[each.length >> 1] ?? 0
    say(`median ${program}`, Object.fromEntries(names.map((name) => [name, median(name)])) as unknown as Costs)
  }
} finally {
  for (const { troupe } of builds) await troupe.leave()
}
