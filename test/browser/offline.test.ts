/** A session as one file: it opens without a server, can be replayed, and contains only what was asked for. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, patienceMillis } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

const nasty = "<script>document.title = 'taken-over'</script><img src=x onerror=\"document.title = 'taken-over'\">"

describe.skipIf(chromium === null)("an exported session", () => {
  let directory: string
  let troupe: RunningTroupe
  let id: string
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "troupe-offline-"))
    troupe = await startTroupe()
    const app = await troupe.mint("desk")
    id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.turn(app, id, `${nasty}\ntool echo hello-from-a-tool`)
    await troupe.turn(app, id, "crash 3")
    await troupe.call("DELETE", `/sessions/${id}`, app)
  })
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true })
    await troupe?.leave()
  })

  /** Opens the file in a page of its own, which may request nothing. */
  const opened = async (texts: 0 | 1) => {
    const response = await fetch(`${troupe.url}/inspect/api/sessions/${id}/export?format=html&texts=${texts}`, {
      headers: { authorization: `Bearer ${adminToken}` }
    })
    assert.match(response.headers.get("content-disposition") ?? "", /^attachment/)
    const file = join(directory, `session-${texts}.html`)
    writeFileSync(file, await response.text())
    const context = await troupe.browser.newContext({ offline: true, reducedMotion: "reduce" })
    context.setDefaultTimeout(patienceMillis)
    const page = await context.newPage()
    const wrong: Array<string> = []
    page.on("request", (request) => {
      if (!request.url().startsWith(pathToFileURL(file).href)) wrong.push(`asked for ${request.url()}`)
    })
    page.on("pageerror", (error) => wrong.push(error.message))
    page.on("console", (message) => void (message.type() === "error" && wrong.push(message.text())))
    await page.goto(pathToFileURL(file).href)
    await page.locator(".session").waitFor()
    return { page, wrong }
  }
  const everything = async (page: Page) => (await page.content()) + (await page.locator("body").innerText())

  it("opens offline without its texts, shows the chart and the time axis, and can be replayed", async () => {
    const { page, wrong } = await opened(0)
    await page.locator(".session-head .badge", { hasText: "closed" }).waitFor()
    const all = await everything(page)
    for (const secret of ["hello-from-a-tool", "taken-over", adminToken]) assert.notInclude(all, secret)
    assert.include(all, "[redacted: ")

    await page.getByRole("slider").press("Home")
    await page.getByText("before the first step").waitFor()
    await page.getByRole("slider").press("ArrowRight")
    await page.locator(".session-head .badge", { hasText: "turning" }).waitFor()
    await page.locator(".why", { hasText: "Rebuilt from the stored steps" }).waitFor()
    assert.strictEqual(await page.locator(".drift").count(), 0)
    await page.getByRole("button", { name: "Last" }).click()
    await page.locator(".session-head .badge", { hasText: "closed" }).waitFor()
    for (const order of ["Interrupt", "Close", "Unpark", "Export"])
      assert.strictEqual(await page.getByRole("button", { name: order, exact: true }).count(), 0)
    await shoot(page, "session-offline")
    assert.deepStrictEqual(wrong, [])
    await page.context().close()
  })

  it("has its chart in the menu behind the safe file, as an SVG that names and marks the state that it is in", async () => {
    const app = await troupe.mint("mail")
    const asking = await troupe.create(app, { permissions: "ask" })
    await troupe.begin(app, asking, "ask-tool echo of-a-person")
    const page = await troupe.visit({ token: adminToken, width: 1366, height: 650, at: `#/sessions/${asking}` })
    await page.locator(".session-head .badge", { hasText: "asking" }).waitFor()
    await page.getByText("Export", { exact: true }).click()
    const offered = page.locator(".export-body a")
    assert.deepStrictEqual(await offered.allTextContents(), [
      "One HTML file, opens offline",
      "JSON",
      "SVG",
      "Graphviz",
      "Mermaid"
    ])
    await isSound(page, "the menu of exports")
    await shoot(page, "export-menu")
    const [download] = await Promise.all([page.waitForEvent("download"), offered.nth(2).click()])
    assert.strictEqual(download.suggestedFilename(), `troupe-${asking}.svg`)
    const file = join(directory, "chart.svg")
    await download.saveAs(file)
    assert.notInclude(readFileSync(file, "utf8"), "of-a-person")

    const picture = await troupe.browser.newContext({ offline: true, viewport: { width: 1000, height: 1400 } })
    const drawn = await picture.newPage()
    await drawn.goto(pathToFileURL(file).href)
    const active = drawn.locator(".state.active")
    assert.deepStrictEqual(await active.locator("text").allTextContents(), ["asking"])
    assert.match((await active.locator("title").textContent()) ?? "", /^turning\.asking\n/)
    await shoot(drawn, "export-chart")
    await picture.close()
    await page.context().close()
    await troupe.call("DELETE", `/sessions/${asking}`, app)
  })

  it("contains its texts where they are asked for, as text", async () => {
    const { page, wrong } = await opened(1)
    await page.locator(".entry-prompt", { hasText: "taken-over" }).waitFor()
    await page.locator(".entry-message", { hasText: "<img src=x" }).waitFor()
    assert.include(await everything(page), "hello-from-a-tool")
    assert.notInclude(await everything(page), adminToken)
    assert.notStrictEqual(await page.title(), "taken-over")
    assert.strictEqual(await page.locator(".session img").count(), 0)
    assert.deepStrictEqual(wrong, [])
    await page.context().close()
  })
})
