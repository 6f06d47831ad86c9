/** An agent whose output tries to be executed. Every page of `startTroupe` also fails where its policy had to stop something. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { visible } from "../../src/inspect/client/visible.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

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
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    troupe = await startTroupe({ TROUPE_MAX_BODY: "4 MiB" })
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const isUntouched = async (page: Page) => {
    assert.notStrictEqual(await page.title(), "taken-over")
    assert.strictEqual(await page.locator("iframe, img, script:not([src])").count(), 0)
    assert.strictEqual(await page.locator("a[href^='javascript:'], a[href*='elsewhere']").count(), 0)
  }

  it("is shown as the text that it is, in the transcript, the table and the inbox", async () => {
    const id = await troupe.create(app, { meta: { note: lines.join() } })
    await troupe.turn(app, id, lines.join("\n"))
    const page = await troupe.visit({ token: adminToken, at: `#/?q=${id}` })
    await page.locator(`[data-session="${id}"]`).waitFor()
    await isUntouched(page)
    await page.locator(`[data-session="${id}"]`).click()
    const answer = page.locator(".entry-message .entry-text")
    await answer.waitFor()
    const text = await answer.textContent()
    for (const line of lines) assert.include(text, visible(line))
    assert.include(text, "⟨ESC⟩[31mred")
    await isUntouched(page)
    await shoot(page, "session-malice")
    for (const tab of ["Turns", "Search", "Steps", "State", "Process", "Restarts", "Time & tokens"]) {
      await page.getByRole("tab", { name: tab }).click()
      await page.getByRole("tabpanel", { name: tab }).waitFor()
      await isUntouched(page)
    }
  })

  it("read as Markdown makes no HTML, loads nothing, and has links to the web and to mail only", async () => {
    const id = await troupe.create(app)
    const markdown = [
      "# A title",
      "",
      "- **one** [good](https://good.example/a) and ![a picture](https://elsewhere.invalid/x.png)",
      `- [js](javascript:${taken}) [data](data:text/html,x) [own](#/sessions) ![](data:image/png;base64,AAAA)`,
      "",
      "[mail](mailto:a@good.example) [as](https://good.example@elsewhere.invalid/) `<b>code</b>`",
      "",
      "| a | b |",
      "|---|---|",
      "| 1 | <img src=x> |",
      "",
      `<script>${taken}</script>`,
      "",
      ...lines
    ]
    await troupe.turn(app, id, markdown.join("\n"))
    await troupe.turn(app, id, `${"> ".repeat(5_000)}deep`)
    await troupe.turn(app, id, "*a_".repeat(20_000))
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.getByLabel("Markdown").check()
    await page.locator(".entry-text", { hasText: "*a_*a_" }).last().waitFor()
    await page.getByRole("tab", { name: "Turns" }).click()
    await page.locator(".turn-line").first().click()
    const answer = page.locator(".entry-message .markdown")
    await answer.first().waitFor()
    await shoot(page, "session-malice-markdown")
    assert.notStrictEqual(await page.title(), "taken-over")
    assert.strictEqual(await page.locator("main :is(iframe, img, style, svg style, script, b[onmouseover])").count(), 0)
    const links = await page.evaluate<ReadonlyArray<string>>(
      "[...document.querySelectorAll('.markdown a')].map((a) => `${a.protocol} ${a.rel} ${a.host}`)"
    )
    assert.includeMembers([...links], ["https: noopener noreferrer good.example", "mailto: noopener noreferrer "])
    // The picture is a link to it: it is loaded by whoever presses it. The one that poses as another host is none.
    assert.deepStrictEqual([...new Set(links.map((link) => link.split(" ", 1)[0]))].toSorted(), ["https:", "mailto:"])
    assert.include(await answer.first().innerText(), "as (https://good.example@elsewhere.invalid/)")
    // It is remembered.
    await page.reload()
    await page.locator(".entry-message .markdown, .entry-message .entry-text").first().waitFor()
    assert.strictEqual(await page.getByLabel("Markdown").isChecked(), true)
  })

  it("cannot make an approval look like another", async () => {
    const id = await troupe.create(app, { permissions: "ask" })
    await troupe.begin(app, id, `ask-tool ${title}`)
    const page = await troupe.visit({ token: adminToken, at: "#/approvals" })
    const shownTitle = page.locator(".approval-title")
    await shownTitle.waitFor()
    assert.include(await shownTitle.textContent(), "<b onmouseover")
    // A character that reverses the reading direction is shown by name and has no effect.
    assert.include(await shownTitle.textContent(), "⟨U+202E⟩gpj.exe")
    await isUntouched(page)
    await shoot(page, "approvals-malice")
    await troupe.call("DELETE", `/sessions/${id}`, app)
  })

  it("with a line of a megabyte leaves the page usable", async () => {
    const id = await troupe.create(app)
    await troupe.turn(app, id, "big 1024")
    await troupe.turn(app, id, "after the flood")
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.locator(".entry-message", { hasText: "after the flood" }).waitFor()
    await page.getByRole("slider").press("Home")
    await page.getByText("before the first step").waitFor()
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.locator(".step-line").first().waitFor()
    assert.isAtMost(await page.evaluate<number>("document.documentElement.scrollWidth"), 1280)
    await isUntouched(page)
  })
})
