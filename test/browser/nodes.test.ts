/** The nodes in the dashboard: two of them on one PostgreSQL, one of which is stopped. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { adminToken, Cluster } from "../cluster/nodes.ts"
import type { ClusterNode } from "../cluster/nodes.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { chromium, shoot } from "./chromium.ts"
import { openBrowser } from "./harness.ts"
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
    String((await first.call("POST", "/sessions", { agent, permissions: "ask" })).json["session_id"])
  const turn = (session: string, prompt: string) => first.call("POST", `/sessions/${session}/turn`, { prompt })
  const begin = (session: string, prompt: string) =>
    first.call("POST", `/sessions/${session}/turn`, { prompt, wait: false })

  beforeAll(async () => {
    const schema = await Effect.runPromise(Effect.provideService(emptySchema, Scope.Scope, scope))
    const broken = { protocol: "acp", command: ["/bin/false"] }
    cluster = new Cluster(schema, { defaultAgent: "demo", agents: { broken } })
    first = await cluster.start("berlin", env)
    second = await cluster.start("oslo", env)
    pages = await openBrowser(() => second.url)
    // As many failed starts in a row as open a circuit.
    for (let n = 0; n < 5; n++) await turn(await sessionOf("broken"), "hello")
    // Both slots are taken, and a third turn waits.
    for (const prompt of ["ask-tool ls", "hang", "hang"]) await begin(await sessionOf("demo"), prompt)
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

  it("are no business of an app", async () => {
    const page = await pages.visit({ token: first.token, at: "#/nodes" })
    await page.getByText("Only the admin sees the nodes").waitFor()
    assert.strictEqual(await page.getByRole("link", { name: "Nodes" }).count(), 0)
    await page.context().close()
  })
})
