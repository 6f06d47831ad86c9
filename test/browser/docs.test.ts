/** The page at /docs: two requests that work as they are, a token that is kept, and every endpoint to read and to try. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("the page of the API", () => {
  let troupe: RunningTroupe
  let page: Page
  beforeAll(async () => {
    troupe = await startTroupe()
    page = await troupe.visit()
    await page.goto(`${troupe.url}/docs`)
  })
  afterAll(() => troupe?.leave())

  const form = (name: string, within = page.locator("main")) => within.getByRole("form", { name, exact: true })

  it("begins with a session that works as it stands, once a token is given", async () => {
    const first = page.getByRole("region", { name: "A first session" })
    const create = form("POST /sessions", first)
    await create.getByRole("button", { name: "Send" }).click()
    await create.getByText("401 Unauthorized").waitFor()
    const token = await troupe.mint("reader")
    await page.getByLabel("Token").fill(token)
    await create.getByRole("button", { name: "Send" }).click()
    await create.getByText("200 OK").waitFor()

    const turn = form("POST /sessions/{id}/turn/stream", first)
    // The session that was created is the one that is meant.
    assert.match(await turn.getByLabel("id", { exact: true }).inputValue(), /^ses_/)
    await turn.getByRole("button", { name: "Send" }).click()
    await turn.getByText("event: result").waitFor()
    await turn.getByText("You said: Say hello. (turn 1)").first().waitFor()
    await shoot(page, "docs-first")
    // A shell gets it as it is, with the token in a variable.
    assert.notInclude(await page.content(), token)
  })

  it("keeps the token until it is to be forgotten", async () => {
    await page.reload()
    assert.match(await page.getByLabel("Token").inputValue(), /^trp_/)
    await page.getByRole("button", { name: "Forget" }).click()
    await page.reload()
    assert.strictEqual(await page.getByLabel("Token").inputValue(), "")
  })

  it("has every endpoint, with its fields and its answers", async () => {
    await page.getByLabel("Token").fill(adminToken)
    const sections = page.getByRole("region", { name: "admin" })
    await sections.getByText("/admin/apps", { exact: true }).first().click()
    const mint = form("POST /admin/apps", sections)
    await mint.getByLabel("Body").fill('{ "name": "from-the-docs" }')
    await mint.getByRole("button", { name: "Send" }).click()
    await mint.getByText("trp_").waitFor()
    await sections.getByText("CreateApp", { exact: true }).click()
    await sections.getByText("take over the sessions").waitFor()
    await shoot(page, "docs-endpoint")
    const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert.strictEqual(overflow, 0)
  })
})
