/** Troupe restarts while pages are open: they show that it is away, and then the present state. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("a restart of the server", () => {
  let troupe: RunningTroupe
  beforeAll(async () => {
    troupe = await startTroupe()
  })
  afterAll(() => troupe?.leave())

  it("leaves every page logged in and up to date", async () => {
    const app = await troupe.mint("desk")
    const [first, second] = [await troupe.create(app), await troupe.create(app)]
    await troupe.turn(app, first, "hello")
    const table = await troupe.visit({ token: adminToken })
    const view = await troupe.visit({ token: app, at: `#/sessions/${first}` })
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle awake" }).waitFor()
    await view.locator(".session-head .standing", { hasText: "live" }).waitFor()
    await Promise.all([rememberLink(table, ".header .link-state"), rememberLink(view, ".session-head .standing")])

    await troupe.stop()
    await table.getByText("Connection lost.").waitFor()
    await view.locator(".session-head .standing", { hasText: "connection lost" }).waitFor()
    await shoot(table, "sessions-lost")
    await shoot(view, "session-lost")
    // What was shown stays visible.
    await view.locator(".entry-message", { hasText: "You said: hello" }).waitFor()

    await troupe.start()
    await troupe.call("DELETE", `/sessions/${second}`, app)
    await table.locator(".header .link-state.is-live").waitFor()
    await view.locator(".session-head .standing", { hasText: "live" }).waitFor()
    for (const page of [table, view]) {
      const states = await page.evaluate<ReadonlyArray<string>>("window.said")
      assert.strictEqual(states.at(0), "live")
      assert.strictEqual(states.at(-1), "live")
      // "catching up…" is drawn only where catching up takes longer than a frame: the browser may draw both at once.
      const between = states.slice(1, -1)
      // The header of a list and the head of a session have words of their own.
      const lost = ["connection lost", "not connected"]
      assert.isTrue(
        between.some((state) => lost.includes(state)),
        states.join(", ")
      )
      assert.isEmpty(
        between.filter((state) => ![...lost, "connecting…", "catching up…"].includes(state)),
        states.join(", ")
      )
    }

    // No page had to log in again, and each shows what the ledger has.
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle asleep" }).waitFor()
    await table.locator(`[data-session="${second}"] .badge`, { hasText: "closed" }).waitFor()
    assert.deepStrictEqual(await table.locator(".count:not(.is-substate) b").allTextContents(), [
      "2",
      "1",
      "0",
      "0",
      "1"
    ])
    await view.locator(".session-head .badge", { hasText: "idle asleep" }).waitFor()
    const { json } = await troupe.call("GET", `/inspect/api/sessions/${first}`, adminToken)
    await until(
      () => view.locator(".travel-step b").textContent(),
      (text) => text === `${json.last_step}/${json.last_step}`
    )
    assert.strictEqual(await view.getByText("Drift:").count(), 0)

    // Both pages continue.
    await troupe.turn(app, first, "once more")
    await view.locator(".entry-message", { hasText: "You said: once more" }).waitFor()
    await table.locator(`[data-session="${first}"] .badge`, { hasText: "idle awake" }).waitFor()
  })

  it("by a signal is announced on the page while running turns may finish", async () => {
    const app = await troupe.mint("busy")
    const id = await troupe.create(app)
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await troupe.begin(app, id, "slow 100000 20")
    await page.locator(".session-head .badge", { hasText: "turning running" }).waitFor()
    const program = troupe.program()
    program.kill("SIGTERM")
    await page.getByText("Troupe is shutting down").waitFor()
    await shoot(page, "session-draining")
    program.kill("SIGTERM")
    await page.locator(".session-head .standing", { hasText: "connection lost" }).waitFor()
    await troupe.start()
    await page.locator(".session-head .badge", { hasText: "idle" }).waitFor()
    await page.locator(".session-head .standing", { hasText: "live" }).waitFor()
    const { json } = await troupe.call("GET", `/sessions/${id}/turns/1`, app)
    assert.notStrictEqual(json.status, "running")
  })
})

/** Records all that one element of the page says about its connection. A page that is drawn anew may not have it for a moment. */
const rememberLink = (page: Page, selector: string) =>
  page.evaluate(`(() => {
    const said = (window.said = [])
    const look = () => {
      const words = document.querySelector(${JSON.stringify(selector)})?.textContent
      if (words && said.at(-1) !== words) said.push(words)
    }
    look()
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
  })()`)
