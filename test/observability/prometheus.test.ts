/**
 * What `observability/` has for Prometheus and Grafana, on the real ones: `promtool` checks and tests the alerts, and each
 * expression of the dashboard and of the alerts is asked of a Prometheus that has scraped a Troupe at work.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import { freePort } from "../freePort.ts"

const root = join(import.meta.dirname, "..", "..")
const folder = join(root, "observability")
const rules = join(folder, "troupe.rules.yml")
const hasPrometheus = ["prometheus", "promtool"].every((name) => spawnSync(name, ["--version"]).status === 0)
if (!hasPrometheus) console.log("There is no Prometheus here: what observability/ has for it is not tried on one.")

const patienceMillis = 40_000

interface Dashboard {
  readonly panels: ReadonlyArray<{
    readonly title: string
    readonly targets?: ReadonlyArray<{ readonly expr: string }>
  }>
}

const dashboard = JSON.parse(readFileSync(join(folder, "troupe.dashboard.json"), "utf8")) as Dashboard

/** As Grafana fills it in with everything chosen. */
const filled = (expr: string) =>
  expr
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$job", "troupe")
    .replaceAll(/\$(instance|agent)/g, ".*")

const expressions = dashboard.panels.flatMap(({ targets = [], title }) =>
  targets.map(({ expr }) => ({ title, expr: filled(expr) }))
)

describe.skipIf(!hasPrometheus)("alerts and dashboard", () => {
  let workspace: Workspace
  let server: Server
  let prometheus: ChildProcess
  let address: string

  const get = async (path: string) => {
    const response = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(patienceMillis) })
    return (await response.json()) as { readonly data: { readonly result: ReadonlyArray<Sample> } & RuleGroups }
  }
  const query = async (expr: string) => (await get(`/api/v1/query?query=${encodeURIComponent(expr)}`)).data.result
  const until = async <A>(read: () => Promise<A>, isIt: (value: A) => boolean): Promise<A> => {
    const deadline = performance.now() + patienceMillis
    while (true) {
      const value = await read().catch((cause: unknown) => cause as A)
      if (!(value instanceof Error) && isIt(value)) return value
      if (performance.now() > deadline) throw new Error(`it never came; it was ${JSON.stringify(value)}`)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  const turn = async (agent: string, prompt: string, body: object = {}) => {
    const { session_id: id } = await server.call("POST", "/sessions", { agent, ...body })
    return server.call("POST", `/sessions/${id}/turn`, { prompt })
  }
  /** Something of all that is measured. */
  const work = () =>
    Promise.all([turn("coder", "hello"), turn("coder", "fail model"), turn("coder", "crash"), turn("costed", "one")])

  beforeAll(async () => {
    workspace = makeWorkspace()
    const replay = [
      process.execPath,
      join(root, "test/fixtures/agents/acp-replay.ts"),
      join(root, "test/fixtures/traces/acp/claude-basic.ndjson")
    ]
    const coder = { protocol: "acp", command: [process.execPath, join(root, "src/agent/demo/main.ts")] }
    const agents = { coder, costed: { protocol: "acp", command: replay } }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ defaultAgent: "coder", agents }))
    const adminToken = "an-admin-token-for-tests"
    server = await openServer(workspace, { TROUPE_ADMIN_TOKEN: adminToken, TROUPE_LOG_LEVEL: "none" })
    await work()

    const port = await freePort()
    address = `http://127.0.0.1:${port}`
    const scrape = [
      "  - job_name: troupe",
      `    authorization: { credentials: ${adminToken} }`,
      `    static_configs: [{ targets: ["${new URL(server.url).host}"] }]`
    ]
    const config = [
      "global: { scrape_interval: 500ms, evaluation_interval: 500ms }",
      `rule_files: [${rules}]`,
      "scrape_configs:",
      ...scrape
    ]
    const file = join(workspace.cwd, "prometheus.yml")
    writeFileSync(file, config.join("\n"))
    prometheus = spawn("prometheus", [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(workspace.cwd, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error"
    ])
    await until(
      () => query("sum_over_time(up[1m])"),
      ([up]) => Number(up?.value[1]) >= 2
    )
    // After the first scrape, so that something grows between two.
    await work()
    await turn("coder", "fail quota")
  }, 120_000)
  afterAll(async () => {
    if (prometheus !== undefined) {
      prometheus.kill("SIGKILL")
      await once(prometheus, "close")
    }
    await workspace?.cleanUp()
  })

  it("pass promtool's checks and the tests of each alert", () => {
    for (const args of [
      ["check", "rules", rules],
      ["test", "rules", join(folder, "troupe.rules.test.yml")]
    ]) {
      const { status, stderr, stdout } = spawnSync("promtool", args, { encoding: "utf8" })
      assert.strictEqual(status, 0, `${stdout}\n${stderr}`)
    }
    const tested = readFileSync(join(folder, "troupe.rules.test.yml"), "utf8")
    const alerts = [...readFileSync(rules, "utf8").matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name)
    // Each is seen to fire.
    const firing = new Set([...tested.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/g)].map(([, name]) => name))
    assert.deepStrictEqual(
      alerts.filter((name) => !firing.has(name)),
      []
    )
  })

  it.each(expressions)("$title has a value: $expr", async ({ expr }) => {
    const samples = await until(
      () => query(expr),
      (result) => result.some(({ value: [, value] }) => Number.isFinite(Number(value)))
    )
    for (const { metric } of samples) assert.notMatch(JSON.stringify(metric), /ses_|trp_/)
  })

  it("are evaluated without an error, and an account that is used up for the first time is told of", async () => {
    const groups = await until(
      async () => (await get("/api/v1/rules")).data.groups,
      ([group]) => group?.rules.every(({ health }) => health !== "unknown") === true
    )
    for (const { health, lastError, name } of groups[0]?.rules ?? [])
      assert.strictEqual(health, "ok", `${name}: ${lastError}`)
    await until(
      () => query('ALERTS{alertname="TroupeAccountUsedUp",alertstate="firing",agent="coder"}'),
      (result) => result.length === 1
    )
  })
})

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

interface RuleGroups {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{ readonly name: string; readonly health: string; readonly lastError?: string }>
  }>
}
