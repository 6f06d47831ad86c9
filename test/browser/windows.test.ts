/** Many windows of one browser: they share a connection, all are live, and none waits for another. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { chromium } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("windows of one browser", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    troupe = await startTroupe({ TROUPE_MAX_PROCESSES: "8" })
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const readers = async () => {
    const response = await fetch(`${troupe.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } })
    return Number(/^troupe_stream_readers (\d+)/m.exec(await response.text())?.[1])
  }
  const live = (page: Page) => page.locator(".header .is-live").waitFor()
  const sessionLive = (page: Page) => page.locator(".session-head .standing", { hasText: "live" }).waitFor()

  /** Four in one browser, all visible: two lists and two sessions, each with that turn. */
  const openFour = async (prompt: string) => {
    const ids = await Promise.all(Array.from({ length: 2 }, () => troupe.create(app)))
    for (const id of ids) await troupe.begin(app, id, prompt)
    const before = socketsTo(troupe.url)
    const first = await troupe.visit({ token: adminToken })
    const context = first.context()
    const open = async (at: string) => {
      const page = await context.newPage()
      await page.goto(`${troupe.url}/inspect/${at}`)
      return page
    }
    const second = await open("#/sessions")
    const pages: Array<Page> = []
    for (const id of ids) pages.push(await open(`#/sessions/${id}`))
    for (const page of [first, second, ...pages]) await live(page)
    for (const page of pages) await sessionLive(page)
    return { ids, lists: [first, second], pages, open, context, before }
  }

  it("are all live over one connection, each can interrupt its session, and a fifth opens", async () => {
    const { before, context, ids, lists, open, pages } = await openFour("hang")
    await until(readers, (count) => count === 1)
    // The most that a browser has to one server.
    assert.isAtMost(socketsTo(troupe.url) - before, 6)
    await Promise.all(
      pages.map(async (page) => {
        await page.getByRole("button", { name: "Interrupt", exact: true }).click()
        await page.getByRole("button", { name: "Really interrupt?" }).click()
        await page.locator(".session-head .badge", { hasText: /idle/ }).waitFor()
      })
    )
    for (const list of lists)
      for (const id of ids) await list.locator(`[data-session="${id}"] .badge`, { hasText: /idle/ }).waitFor()
    const fifth = await open("#/sessions")
    await live(fifth)
    await fifth.locator(`[data-session="${ids[0]}"]`).waitFor()
    // One that was made for the fifth takes the place of the one before.
    await until(readers, (count) => count === 1)
    // Closed without a word of farewell but the browser's.
    await context.close()
    await until(readers, (count) => count === 0)
  })

  it("resume all after a restart of the server, with nothing missing and nothing twice", async () => {
    const { context, ids, lists, pages } = await openFour("hello")
    await troupe.stop()
    await pages[0]?.locator(".session-head .standing", { hasText: "connection lost" }).waitFor()
    await troupe.start()
    for (const page of [...lists, ...pages]) await live(page)
    for (const [nth, page] of pages.entries()) {
      await sessionLive(page)
      const { json: turn } = await troupe.turn(app, ids[nth] ?? "", `again ${nth}`)
      const { json } = await troupe.call("GET", `/inspect/api/sessions/${ids[nth]}/steps?limit=500`, adminToken)
      await until(
        () => page.getByRole("slider").getAttribute("max"),
        (max) => max === String(json.steps.length)
      )
      assert.strictEqual(await page.getByText("Drift:").count(), 0)
      const said = page.getByRole("log", { name: "Transcript" }).getByText(turn.final_text, { exact: true })
      await said.first().waitFor()
      assert.strictEqual(await said.count(), 1)
    }
    await until(readers, (count) => count === 1)
    await context.close()
  })

  it("have a connection each where the browser has no shared workers", async () => {
    const id = await troupe.create(app)
    const first = await troupe.visit({ token: adminToken })
    await first.context().addInitScript("delete window.SharedWorker")
    const page = await first.context().newPage()
    await page.goto(`${troupe.url}/inspect/#/sessions/${id}`)
    await live(page)
    await sessionLive(page)
    await until(readers, (count) => count === 2)
    await page.goto(`${troupe.url}/inspect/#/sessions`)
    await live(page)
    await until(readers, (count) => count === 2)
    await first.context().close()
  })
})

/** Established, of anybody to that port of this machine: the server's own ends. */
const socketsTo = (url: string): number => {
  const wanted = `:${Number(new URL(url).port).toString(16).toUpperCase().padStart(4, "0")}`
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/)
      return local.endsWith(wanted) && state === "01"
    }).length
}
