/** What the page says of sessions that do not move, each staged with real processes: the wrong sayings of before. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("what the page says of a session that does not move", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    const workspace = makeWorkspace()
    const command = [process.execPath, "-e", "throw new Error('no token in the keyring')"]
    const agents = { broken: { protocol: "acp", command } }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
    troupe = await startTroupe({ TROUPE_MAX_PROCESSES: "2", TROUPE_POOL_WAIT: "10 minutes" }, workspace)
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const detail = async (id: string) => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const create = (agent = "demo") => troupe.create(app, { agent, permissions: "approve_all" })
  const running = (id: string) =>
    until(
      () => detail(id),
      ({ process, session }) => session.substate === "turning.running" && process.pid !== null
    )
  const laptop = { token: adminToken, width: 1366, height: 650 }

  it("a failed turn is marked in the row and the head, opens to its end, and a moment before knows nothing of it", async () => {
    const id = await create()
    await troupe.turn(app, id, "hello")
    await troupe.turn(app, id, "crash 3")
    await until(
      () => detail(id),
      ({ session }) => session.state === "idle"
    )
    const page = await troupe.visit(laptop)
    const row = page.locator(`[data-session="${id}"]`)
    await row.locator(".outcome.is-failed", { hasText: "failed" }).waitFor()
    await row.getByText("turn 2 failed: crash").waitFor()
    await row.click()
    await page.locator(".session-head .outcome-mark").waitFor()
    await page.getByText(/Turn 2 failed .+ ago \(crash\): The agent process ended with exit code 3/).waitFor()
    await page.getByRole("tab", { name: /^Restarts/ }).click()
    await page.getByText("exit code 3, and its stderr").click()
    await page.locator(".spans pre", { hasText: "exits as it was asked to" }).waitFor()
    await shoot(page, "truth-failed")
    const slider = page.getByRole("slider")
    await slider.press("Home")
    await slider.press("ArrowRight")
    await page.getByText(/as it was at/).waitFor()
    assert.strictEqual(await page.getByRole("button", { name: "Close", exact: true }).count(), 0)
    assert.strictEqual(await page.locator(".outcome-mark").count(), 0)
    await page.locator(".strip", { hasText: "then" }).waitFor()
    assert.strictEqual(await page.getByText("exit code 3, and its stderr").count(), 0)
    await page.getByText("None was ever started.").waitFor()
    await shoot(page, "truth-then")
    await troupe.call("DELETE", `/sessions/${id}`, app)
  })

  it("an agent whose starts keep failing is named with its error, on its page and on every session", async () => {
    const [first, second, idle] = [await create("broken"), await create("broken"), await create("broken")]
    for (const id of [first, first, second, second, second]) await troupe.turn(app, id, "go")
    const page = await troupe.visit({ ...laptop, at: "#/agents" })
    const agent = page.locator('[data-agent="broken"]')
    await agent.getByText(/not started for/).waitFor()
    await agent.getByText("Its starts kept failing").getByText("Error: no token in the keyring").waitFor()
    await agent.getByText("5 failed").waitFor()
    await agent.getByRole("button", { name: "Check" }).click()
    await agent.getByRole("status").getByText("no token in the keyring").last().waitFor()
    await shoot(page, "truth-agents")
    await page.goto(`${troupe.url}/inspect/#/sessions/${idle}`)
    await page.getByText(/Its agent is not started for another .+ no token in the keyring/).waitFor()
  })

  it("a tool, a stopped agent and a queued turn are told apart in the list and on the page", async () => {
    const [tool, stopped, queued] = [await create(), await create(), await create()]
    await troupe.begin(app, tool, "tool sleep 300")
    await troupe.begin(app, stopped, "hang")
    const { process: stoppedProcess } = await running(stopped)
    await running(tool)
    process.kill(stoppedProcess.pid, "SIGSTOP")
    await troupe.begin(app, queued, "hello")
    const page = await troupe.visit(laptop)
    const row = (id: string) => page.locator(`[data-session="${id}"]`)
    await row(tool).locator("code", { hasText: "sleep 300" }).waitFor()
    await row(tool)
      .getByText(/runs for \d+ s/)
      .waitFor()
    await row(queued).locator(".tone-queued", { hasText: "queued" }).first().waitFor()
    await row(queued).getByText("as number 1 of 1 in line").waitFor()
    await shoot(page, "truth-list")
    await row(queued).click()
    await page.getByText(new RegExp(`The 2 slots are held by ses_.+ of desk`)).waitFor()
    await page.goto(`${troupe.url}/inspect/#/sessions/${stopped}`)
    await page.getByText(`Run: kill -CONT ${stoppedProcess.pid}`).waitFor()
    await shoot(page, "truth-stopped")
    await page.goto(`${troupe.url}/inspect/#/sessions/${tool}`)
    await page.getByText(/`sleep 300` has run for/).waitFor()
    await page.getByText(/`sleep 300` runs, and none of its 2 processes uses a processor/).waitFor()
    await page.locator(".lane-names").getByText("CPU").waitFor()
    await shoot(page, "truth-tool")
    process.kill(stoppedProcess.pid, "SIGCONT")
    for (const id of [tool, stopped, queued]) await troupe.call("DELETE", `/sessions/${id}`, app)
  })

  it("a link over which nothing comes is no silent agent", async () => {
    const id = await create()
    await troupe.begin(app, id, "hang")
    await running(id)
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${id}` })
    await page.locator(".why-sentence").waitFor()
    await page.locator(".header .is-live").waitFor()
    // From here on its time is ours; the timers that it has go on.
    await page.clock.install()
    const server = troupe.program().pid ?? 0
    process.kill(server, "SIGSTOP")
    try {
      const sentence = page.locator(".why-sentence", { hasText: /No news from Troupe for \d+ s\. As last heard:/ })
      // Again where an answer was on its way: it comes behind the time, and is news.
      await until(
        async () => {
          await page.clock.fastForward(20_000)
          return sentence.waitFor({ timeout: 3_000 }).then(
            () => true,
            () => false
          )
        },
        (isThere) => isThere
      )
      await page.locator(".banner", { hasText: "No news from Troupe for" }).waitFor()
      await shoot(page, "truth-no-news")
    } finally {
      process.kill(server, "SIGCONT")
    }
    // What was true meanwhile is shown when it comes.
    await page.locator(".header .is-live").waitFor()
  })
})
