/** The nodes in the dashboard: two of them on one PostgreSQL, one of which is stopped. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { tmpdir } from "node:os"
import { adminToken, Cluster } from "../cluster/nodes.ts"
import type { ClusterNode } from "../cluster/nodes.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { chromium, shoot } from "./chromium.ts"
import { openBrowser, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"
import { isSound } from "./isSound.ts"

/** Nobody takes anything over in the time of a test. */
const env = { TROUPE_NODE_LEASE: "10 minutes", TROUPE_MAX_PROCESSES: "2", TROUPE_POOL_WAIT: "10 minutes" }

describe.skipIf(chromium === null || postgres === null)("the nodes", () => {
  const scope = Scope.makeUnsafe()
  let cluster: Cluster
  let first: ClusterNode
  let second: ClusterNode
  let pages: Pick<RunningTroupe, "leave" | "visit">

  const sessionOf = async (agent: string) =>
    String((await first.call("POST", "/sessions", { agent, permissions: "ask", cwd: tmpdir() })).json["session_id"])
  const turn = (session: string, prompt: string) => first.call("POST", `/sessions/${session}/turn`, { prompt })
  const begin = (session: string, prompt: string) =>
    first.call("POST", `/sessions/${session}/turn`, { prompt, wait: false })

  beforeAll(async () => {
    const schema = await Effect.runPromise(Effect.provideService(emptySchema, Scope.Scope, scope))
    const broken = { protocol: "acp", command: ["/bin/false"] }
    cluster = new Cluster(schema, { defaultAgent: "demo", agents: { broken } })
    first = await cluster.start("berlin", env)
    // As many failed starts in a row as open a circuit.
    for (let n = 0; n < 5; n++) await turn(await sessionOf("broken"), "hello")
    // Both slots are taken, and a third turn waits.
    for (const prompt of ["ask-tool ls", "hang", "hang"]) await begin(await sessionOf("demo"), prompt)
    // Only now: a session's first turn goes to the node with more room.
    second = await cluster.start("oslo", env)
    pages = await openBrowser(() => second.url)
  })
  afterAll(async () => {
    try {
      await pages?.leave()
    } finally {
      await cluster?.cleanUp()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  })

  it("are in the menu of the admin, and their page shows what each does, wide and narrow, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [width, height] of [
        [1280, 800],
        [390, 844]
      ] as const) {
        const page = await pages.visit({ colorScheme, width, height, token: adminToken })
        // By the keyboard alone.
        await page.keyboard.press("g")
        await page.keyboard.press("n")
        await page.getByRole("heading", { name: "Nodes" }).waitFor()
        assert.strictEqual(await page.locator('.nav [aria-current="page"]').textContent(), "Nodes")
        const [berlin, oslo] = ["berlin", "oslo"].map((name) => page.getByRole("row").filter({ hasText: name }))
        await berlin!.getByText("does not start broken for").waitFor()
        await berlin!.getByText("1 turn in line").waitFor()
        assert.match(
          (await berlin!.textContent()) ?? "",
          /berlinhttp.*works.*renewed .* ago.*2 of 2.*agents \d+ MiB.* ms.*8$/
        )
        assert.match((await oslo!.textContent()) ?? "", /oslo this one.*works.*0 of 2.*no agents.* ms.*0$/)
        await page.getByLabel("1 waiting").waitFor()
        await shoot(page, `view-nodes-${colorScheme}-${width}`)
        await isSound(page, `nodes ${colorScheme} ${width}`)
        await page.context().close()
      }
    }
  })

  it("that do not answer are said to, with their last sign of life, and are back without a press", async () => {
    const page = await pages.visit({ token: adminToken, at: "#/nodes" })
    const berlin = page.getByRole("row").filter({ hasText: "berlin" })
    await berlin.getByText("works").waitFor()
    first.program.child.kill("SIGSTOP")
    await berlin.getByText("does not answer").waitFor()
    assert.match((await berlin.textContent()) ?? "", /last sign of life .* ago.* left.*What it runs is not known\..*8$/)
    await page.getByText("berlin does not answer.").waitFor()
    await shoot(page, "view-nodes-silent")
    await isSound(page, "nodes, one silent")
    first.program.child.kill("SIGCONT")
    await berlin.getByText("works").waitFor()
    await page.context().close()
  })

  it("are a column and a filter of the table, and lead there from their page", async () => {
    for (const [colorScheme, width] of [
      ["light", 1280],
      ["dark", 1280],
      ["light", 900],
      ["light", 390]
    ] as const) {
      const page = await pages.visit({ colorScheme, width, token: adminToken, at: "#/nodes" })
      const berlin = page.getByRole("row").filter({ hasText: "berlin" })
      await berlin.getByRole("link", { name: "8" }).click()
      await page.locator(".grid-row").first().waitFor({ state: "attached" })
      assert.match(page.url(), /#\/sessions\?node=berlin$/)
      assert.strictEqual(await page.getByLabel("Filter by node").inputValue(), "berlin")
      await page.getByText("8 matches").waitFor()
      if (width > 1100) assert.strictEqual(await page.locator(".grid-row .cell-node", { hasText: "berlin" }).count(), 8)
      await shoot(page, `view-sessions-of-node-${colorScheme}-${width}`)
      await isSound(page, `sessions of a node ${colorScheme} ${width}`)
      await page.getByLabel("Filter by node").selectOption("oslo")
      await page.getByText("No session matches").waitFor()
      await page.context().close()
    }
  })

  it("are no business of an app", async () => {
    const page = await pages.visit({ token: first.token, at: "#/nodes" })
    await page.getByText("Only the admin sees the nodes").waitFor()
    assert.strictEqual(await page.getByRole("link", { name: "Nodes" }).count(), 0)
    await page.context().close()
  })

  it("are shown in a session: which has it, that it does not answer, and who took it over", async () => {
    const { json } = await first.call("GET", "/inspect/api/sessions?agent=broken&limit=1")
    const [{ session_id: id }] = json["sessions"] as [{ readonly session_id: string }]
    const page = await pages.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.getByText("node berlin · epoch 1").waitFor()
    first.program.child.kill("SIGSTOP")
    const unseen = page
      .getByRole("status")
      .filter({ hasText: /^Its node, berlin, does not answer \(last sign of life/ })
    await unseen.first().waitFor()
    await shoot(page, "view-session-unseen")
    await isSound(page, "a session whose node does not answer")
    first.program.child.kill("SIGCONT")
    await unseen.first().waitFor({ state: "detached" })

    // The second one does not wait for the turns that run.
    first.program.child.kill("SIGTERM")
    await until(
      () => first.program.stderr() + first.program.stdout(),
      (log) => log.includes("draining")
    )
    await first.kill("SIGTERM")
    await second.call("POST", `/sessions/${id}/turn`, { prompt: "again" })
    await page.getByText("node oslo · epoch 2").waitFor()
    await page.getByRole("tab", { name: "Process" }).click()
    await page.getByText("oslo took it over from berlin, which had left").waitFor()
    const label = await page.locator("svg.lanes").getAttribute("aria-label")
    assert.include(label, "3 in the lane node")
    for (const [width, height] of [
      [1280, 800],
      [390, 844]
    ] as const) {
      await page.setViewportSize({ width, height })
      await shoot(page, `view-session-taken-over-${width}`)
      await isSound(page, `a session that was taken over ${width}`)
    }
    await page.context().close()
  })
})
