/** An agent that would like to be more than text. Every page of `openHouse` also fails on what its policy had to stop. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { visible } from "../../src/inspect/client/visible.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, openHouse } from "./harness.ts"
import type { House } from "./harness.ts"

const escape = "\u001b"
const taken = "document.title='taken-over'"
const lines = [
  `<script>${taken}</script>`,
  `<img src="https://elsewhere.invalid/x.png" onerror="${taken}">`,
  `<svg onload="${taken}"><style>*{display:none}</style>`,
  `<iframe src="javascript:${taken}"></iframe><a href="javascript:${taken}">press me</a>`,
  `${escape}[31mred${escape}[0m ${escape}]8;;https://elsewhere.invalid/${escape}\\link${escape}]8;;${escape}\\`,
  "file\u202Egpj.exe and \u2066isolated",
  "{{constructor.constructor('alert(1)')()}} ${alert(1)} </textarea></title>"
]
const title = `<b onmouseover="${taken}">echo</b> \u202Egpj.exe`

describe.skipIf(chromium === null)("a malicious transcript", () => {
  let house: House
  let app: string
  beforeAll(async () => {
    house = await openHouse({ TROUPE_MAX_BODY: "4 MiB" })
    app = await house.mint("desk")
  })
  afterAll(() => house?.leave())

  const isUntouched = async (page: Page) => {
    assert.notStrictEqual(await page.title(), "taken-over")
    assert.strictEqual(await page.locator("iframe, img, script:not([src])").count(), 0)
    assert.strictEqual(await page.locator("a[href^='javascript:'], a[href*='elsewhere']").count(), 0)
  }

  it("is shown as the text that it is, in the transcript, the table and the inbox", async () => {
    const id = await house.create(app, { meta: { note: lines.join() } })
    await house.turn(app, id, lines.join("\n"))
    const page = await house.visit({ token: adminToken, at: `#/?q=${id}` })
    await page.locator(`[data-session="${id}"]`).waitFor()
    await isUntouched(page)
    await page.locator(`[data-session="${id}"]`).click()
    const answer = page.locator(".entry-message .entry-text")
    await answer.waitFor()
    const said = await answer.textContent()
    for (const line of lines) assert.include(said, visible(line))
    assert.include(said, "⟨ESC⟩[31mred")
    await isUntouched(page)
    await shoot(page, "session-malice")
    for (const tab of ["Steps", "State", "Process", "Restarts", "Time & tokens"]) {
      await page.getByRole("tab", { name: tab }).click()
      await page.getByRole("tabpanel", { name: tab }).waitFor()
      await isUntouched(page)
    }
  })

  it("can't make a question look like another", async () => {
    const id = await house.create(app, { permissions: "ask" })
    await house.begin(app, id, `ask-tool ${title}`)
    const page = await house.visit({ token: adminToken, at: "#/approvals" })
    const shown = page.locator(".approval-title")
    await shown.waitFor()
    assert.include(await shown.textContent(), "<b onmouseover")
    // What turns the reading direction around is shown, not obeyed.
    assert.include(await shown.textContent(), "⟨U+202E⟩gpj.exe")
    await isUntouched(page)
    await shoot(page, "approvals-malice")
    await house.call("DELETE", `/sessions/${id}`, app)
  })

  it("of a megabyte in one line leaves the page usable", async () => {
    const id = await house.create(app)
    await house.turn(app, id, "big 1024")
    await house.turn(app, id, "after the flood")
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.locator(".entry-message", { hasText: "after the flood" }).waitFor()
    await page.getByRole("slider").press("Home")
    await page.getByText("before the first step").waitFor()
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.locator(".step-line").first().waitFor()
    assert.isAtMost(await page.evaluate<number>("document.documentElement.scrollWidth"), 1280)
    await isUntouched(page)
  })
})
