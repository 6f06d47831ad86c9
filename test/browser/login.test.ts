/** The way in: by token or by the terminal's link, and never with a secret where somebody may find it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { hasTerminals, makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, kept, logIn, openHouse } from "./harness.ts"
import type { House } from "./harness.ts"

describe.skipIf(chromium === null)("logging in", () => {
  let house: House
  beforeAll(async () => {
    house = await openHouse()
  })
  afterAll(() => house?.leave())

  const addresses = (page: Page) => {
    const asked: Array<string> = []
    page.on("request", (request) => asked.push(`${request.url()} ${request.headers()["referer"] ?? ""}`))
    return asked
  }

  it("takes a token, and leaves it in no address and in no storage that a script can read", async () => {
    const page = await house.visit()
    const asked = addresses(page)
    await shoot(page, "login")
    await logIn(page, adminToken)
    await page.getByRole("heading", { name: "No sessions yet" }).waitFor()

    assert.isAbove(asked.length, 2)
    assert.notInclude(asked.join("\n"), adminToken)
    assert.notInclude(await kept(page.context(), page), adminToken)
    const [cookie, ...others] = await page.context().cookies()
    assert.deepStrictEqual(others, [])
    assert.deepInclude(cookie, { name: "troupe_inspect", httpOnly: true, sameSite: "Strict", path: "/inspect/" })

    // The cookie is the login: it is there in another tab, and gone after the way out.
    const second = await page.context().newPage()
    await second.goto(`${house.url}/inspect/`)
    await second.getByRole("heading", { name: "No sessions yet" }).waitFor()
    await second.getByRole("button", { name: "admin: menu" }).click()
    await second.getByRole("button", { name: "Log out" }).click()
    await second.getByLabel("Token").waitFor()
    assert.deepStrictEqual(await page.context().cookies(), [])
    await page.reload()
    await page.getByLabel("Token").waitFor()
  })

  it("says that a token is wrong, and lets one try again", async () => {
    const page = await house.visit()
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
    const place = makeWorkspace()
    try {
      const program = place.start(["serve", "--port", "0"], {}, "terminal")
      const [, link = "", code = ""] = await program.printed(/inspect +(http:\/\/[^/]+\/inspect\/#code=([\w-]{43}))\b/)
      const page = await house.browser.newPage()
      const asked = addresses(page)
      await page.goto(link)
      await page.getByRole("heading", { name: "No sessions yet" }).waitFor()
      assert.notInclude(asked.join("\n"), code)
      assert.notInclude(await kept(page.context(), page), code)
      await page.getByRole("button", { name: "admin: menu" }).waitFor()

      const stranger = await (await house.browser.newContext()).newPage()
      await stranger.goto(link)
      await stranger.getByRole("alert").waitFor()
      await stranger.getByLabel("Token").waitFor()
      assert.notInclude(stranger.url(), code)
    } finally {
      await place.cleanUp()
    }
  })
})
