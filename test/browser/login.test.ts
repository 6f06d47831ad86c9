/** Logging in by token or by the terminal's link, without a secret where somebody may find it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { hasTerminals, makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, stored, logIn, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("logging in", () => {
  let troupe: RunningTroupe
  beforeAll(async () => {
    troupe = await startTroupe()
  })
  afterAll(() => troupe?.leave())

  const addresses = (page: Page) => {
    const requested: Array<string> = []
    page.on("request", (request) => requested.push(`${request.url()} ${request.headers()["referer"] ?? ""}`))
    return requested
  }

  it("accepts a token, and leaves it in no address and in no storage that a script can read", async () => {
    const page = await troupe.visit()
    const requested = addresses(page)
    await shoot(page, "login")
    await logIn(page, adminToken)
    await page.getByRole("heading", { name: "No sessions yet" }).waitFor()

    assert.isAbove(requested.length, 2)
    assert.notInclude(requested.join("\n"), adminToken)
    assert.notInclude(await stored(page.context(), page), adminToken)
    const [cookie, ...others] = await page.context().cookies()
    assert.deepStrictEqual(others, [])
    assert.deepInclude(cookie, { name: "troupe_inspect", httpOnly: true, sameSite: "Strict", path: "/inspect/" })

    // The cookie is the login: another tab has it too, and it is gone after the logout.
    const second = await page.context().newPage()
    await second.goto(`${troupe.url}/inspect/`)
    await second.getByRole("heading", { name: "Nothing needs you" }).waitFor()
    await second.getByRole("button", { name: "admin: menu" }).click()
    await second.getByRole("button", { name: "Log out" }).click()
    await second.getByLabel("Token").waitFor()
    assert.deepStrictEqual(await page.context().cookies(), [])
    await page.reload()
    await page.getByLabel("Token").waitFor()
  })

  it("says that a token is wrong, and allows another attempt", async () => {
    const page = await troupe.visit()
    await page.getByLabel("Token").fill("no-such-token")
    await page.getByRole("button", { name: "Log in" }).click()
    const alert = page.getByRole("alert")
    await alert.waitFor()
    assert.include(await alert.textContent(), "unauthorized")
    assert.notInclude(await page.content(), "no-such-token")
    assert.deepStrictEqual(await page.context().cookies(), [])
    await shoot(page, "login-refused")
    await logIn(page, adminToken)
  })

  it.skipIf(!hasTerminals)("takes the link of the terminal once, and the code out of the address at once", async () => {
    const workspace = makeWorkspace()
    try {
      const program = workspace.start(["serve", "--port", "0"], {}, "terminal")
      const [, link = "", code = ""] = await program.printed(/inspect +(http:\/\/[^/]+\/inspect\/#code=([\w-]{43}))\b/)
      const page = await troupe.browser.newPage()
      const requested = addresses(page)
      await page.goto(link)
      await page.getByRole("heading", { name: "Nothing needs you" }).waitFor()
      assert.notInclude(requested.join("\n"), code)
      assert.notInclude(await stored(page.context(), page), code)
      await page.getByRole("button", { name: "admin: menu" }).waitFor()

      const stranger = await (await troupe.browser.newContext()).newPage()
      await stranger.goto(link)
      await stranger.getByRole("alert").waitFor()
      await stranger.getByLabel("Token").waitFor()
      assert.notInclude(stranger.url(), code)
    } finally {
      await workspace.cleanUp()
    }
  })
})
