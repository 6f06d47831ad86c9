/** The home page: what needs a person is there by itself, oldest first, and one press deals with it. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

const limits = {
  TROUPE_ATTENTION_ASKED: "0 seconds",
  TROUPE_ATTENTION_QUEUED: "0 seconds",
  TROUPE_ATTENTION_SILENT: "100 millis",
  TROUPE_POOL_WAIT: "10 minutes",
  TROUPE_RESTART_INTENSITY: "0",
  TROUPE_MAX_PROCESSES: "4"
}

describe.skipIf(chromium === null)("what needs attention", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    const workspace = makeWorkspace()
    const demo = {
      protocol: "acp",
      command: [process.execPath, join(import.meta.dirname, "../../src/agent/demo/main.ts")]
    }
    const broken = {
      protocol: "acp",
      command: [process.execPath, "-e", "console.error('not logged in'), process.exit(7)"]
    }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents: { coder: demo, broken } }))
    troupe = await startTroupe(limits, workspace)
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const started: Array<string> = []
  const row = (page: Page, kind: string) => page.locator(`.attention-row[data-kind="${kind}"]`)
  const start = async (prompt: string, body: object = {}) => {
    const id = await troupe.create(app, { agent: "coder", ...body })
    started.push(id)
    await troupe.begin(app, id, prompt)
    return id
  }
  afterEach(async () => {
    for (const id of started.splice(0)) await troupe.call("DELETE", `/sessions/${id}`, app)
  })

  it("is nothing at first; then questions, parked, failed, silent and queued ones come by themselves, and go with a press", async () => {
    const page = await troupe.visit({ token: adminToken, at: "#/", width: 1366, height: 650 })
    await page.getByRole("heading", { name: "Nothing needs you" }).waitFor()
    await isSound(page, "attention, empty")

    const failed = await start("fail model")
    await row(page, "failed").waitFor()
    await start("crash 3")
    await row(page, "parked").getByText("exit code 3").waitFor()
    await start("ask-tool echo it-was-done", { permissions: "ask" })
    await row(page, "asked").getByText("asks for permission: echo it-was-done").waitFor()
    // A place is held by the one that failed, which is idle, until somebody needs it.
    for (let nth = 0; nth < 3; nth++) await start("hang")
    await until(
      () => row(page, "silent").count(),
      (count) => count === 3
    )
    await start("hello")
    await row(page, "queued").waitFor()
    assert.deepStrictEqual(
      await page.evaluate("[...document.querySelectorAll('.attention-row')].map((one) => one.dataset.kind)"),
      ["failed", "parked", "asked", "silent", "silent", "silent", "queued"]
    )
    await page.locator('.nav a[href="#/"]').getByLabel("7 things").waitFor()
    await shoot(page, "attention-1366")
    await page.setViewportSize({ width: 1920, height: 1080 })
    await shoot(page, "attention-1920")
    await isSound(page, "attention")
    await page.setViewportSize({ width: 390, height: 844 })
    await shoot(page, "attention-390")
    await isSound(page, "attention, narrow")
    await page.setViewportSize({ width: 1366, height: 650 })

    // Silent ones are interrupted, which frees a place for the one in line.
    await row(page, "silent").first().getByRole("button", { name: "Interrupt" }).click()
    await row(page, "queued").waitFor({ state: "detached" })
    await row(page, "asked").getByRole("button", { name: "Allow once" }).click()
    await row(page, "asked").getByRole("button", { name: "Really allow?" }).click()
    await row(page, "asked").waitFor({ state: "detached" })
    await row(page, "parked").getByRole("button", { name: "Unpark" }).click()
    await row(page, "parked").waitFor({ state: "detached" })
    // What failed it is still there, and is seen.
    assert.strictEqual(await row(page, "failed").count(), 2)
    await row(page, "failed").first().getByRole("button", { name: "Seen" }).click()
    await until(
      () => row(page, "failed").count(),
      (count) => count === 1
    )
    await page.reload()
    await row(page, "failed").waitFor()
    assert.strictEqual(await row(page, "failed").count(), 1)
    await page.getByRole("button", { name: "Show 1 seen one" }).click()
    await row(page, "failed").first().getByRole("link").click()
    await page.waitForURL(`**/#/sessions/${failed}`)
    await page.context().close()
  })

  it("is told by the browser where it allows that, while the page is not seen", async () => {
    const page = await troupe.visit({ token: adminToken, at: "#/" })
    await page.context().grantPermissions(["notifications"])
    // The browser's own, with a note of each that the page made; and a tab that is not in front, which headless ones are not.
    await page.evaluate(`(() => {
      window.made = []
      window.Notification = class extends Notification {
        constructor(title, options) { super(title, options); window.made.push(title + ": " + options.body) }
      }
      Object.defineProperty(document, "hidden", { get: () => true })
    })()`)
    await page.getByRole("button", { name: "Notify me" }).click()
    await page.getByRole("button", { name: "Notifications are on", pressed: true }).waitFor()
    await start("fail model")
    const made = await until(
      () => page.evaluate("window.made") as Promise<ReadonlyArray<string>>,
      (texts) => texts.some((text) => text.startsWith("fail model: failed"))
    )
    assert.match(made.join("\n"), /^fail model: failed: Turn 1 failed: The model/m)
    await page.context().close()
  })

  it("is first a kind of agent that is not started, and an app sees its own sessions only", async () => {
    for (let nth = 0; nth < 5; nth++) await troupe.turn(app, await troupe.create(app, { agent: "broken" }), "hello")
    const page = await troupe.visit({ token: adminToken, at: "#/", width: 1366, height: 650 })
    await row(page, "circuit").getByText("broken is not started").waitFor()
    assert.strictEqual(await page.locator(".attention-row").first().getAttribute("data-kind"), "circuit")
    await shoot(page, "attention-circuit-1366")
    await row(page, "circuit").getByRole("link").click()
    await page.waitForURL("**/#/sessions?agent=broken")
    await page.context().close()

    const others = await troupe.visit({ token: await troupe.mint("others"), at: "#/" })
    await others.getByRole("heading", { name: "Nothing needs you" }).waitFor()
    await others.context().close()
  })
})
