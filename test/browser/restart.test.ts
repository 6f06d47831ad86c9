/** Troupe ends and comes back while somebody looks: they see that it is away, that they catch up, and then what is true. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, openHouse, until } from "./harness.ts"
import type { House } from "./harness.ts"

describe.skipIf(chromium === null)("a restart of the server", () => {
  let house: House
  beforeAll(async () => {
    house = await openHouse()
  })
  afterAll(() => house?.leave())

  it("is survived by every page, its login and its picture", async () => {
    const app = await house.mint("desk")
    const [first, second] = [await house.create(app), await house.create(app)]
    await house.turn(app, first, "hello")
    const table = await house.visit({ token: adminToken })
    const view = await house.visit({ token: app, at: `#/sessions/${first}` })
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle awake" }).waitFor()
    await view.locator(".session-head .standing", { hasText: "live" }).waitFor()
    await Promise.all([table, view].map(rememberLink))

    await house.stop()
    await table.getByText("Connection lost.").waitFor()
    await view.locator(".session-head .standing", { hasText: "connection lost" }).waitFor()
    await shoot(table, "sessions-lost")
    await shoot(view, "session-lost")
    // What was known stays in sight.
    await view.locator(".entry-message", { hasText: "You said: hello" }).waitFor()

    await house.start()
    await house.call("DELETE", `/sessions/${second}`, app)
    await table.locator(".header .link-state.is-live").waitFor()
    await view.locator(".session-head .standing", { hasText: "live" }).waitFor()
    for (const page of [table, view]) {
      const said = await page.evaluate<ReadonlyArray<string>>("window.said")
      const at = said.indexOf("catching up…")
      assert.isAbove(at, 0, said.join(", "))
      assert.include(said.slice(at), "live")
    }

    // Nobody had to log in again, and the picture is that of the ledger.
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle asleep" }).waitFor()
    await table.locator(`[data-session="${second}"] .badge`, { hasText: "closed" }).waitFor()
    assert.deepStrictEqual(await table.locator(".count b").allTextContents(), ["2", "1", "0", "0", "1"])
    await view.locator(".session-head .badge", { hasText: "idle asleep" }).waitFor()
    const { json } = await house.call("GET", `/inspect/api/sessions/${first}`, adminToken)
    await until(
      () => view.locator(".travel-step b").textContent(),
      (text) => text === `${json.last_step}/${json.last_step}`
    )
    assert.strictEqual(await view.getByText("Drift:").count(), 0)

    // And both go on.
    await house.turn(app, first, "once more")
    await view.locator(".entry-message", { hasText: "You said: once more" }).waitFor()
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle awake" }).waitFor()
  })

  it("by a signal is announced while running turns may finish", async () => {
    const app = await house.mint("busy")
    const id = await house.create(app)
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await house.begin(app, id, "slow 100000 20")
    await page.locator(".session-head .badge", { hasText: "turning running" }).waitFor()
    const program = house.program()
    program.kill("SIGTERM")
    await page.getByText("Troupe is shutting down").waitFor()
    await shoot(page, "session-draining")
    program.kill("SIGTERM")
    await page.locator(".session-head .standing", { hasText: "connection lost" }).waitFor()
    await house.start()
    await page.locator(".session-head .badge", { hasText: "idle" }).waitFor()
    await page.locator(".session-head .standing", { hasText: "live" }).waitFor()
    const { json } = await house.call("GET", `/sessions/${id}/turns/1`, app)
    assert.notStrictEqual(json.status, "running")
  })
})

/** Keeps all that the page said about its connection. */
const rememberLink = (page: Page) =>
  page.evaluate(`(() => {
    const said = (window.said = [])
    const look = () => {
      const words = (document.querySelector(".session-head .standing") ?? document.querySelector(".header .link-state"))?.textContent
      if (words && said.at(-1) !== words) said.push(words)
    }
    look()
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
  })()`)
