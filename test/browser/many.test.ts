/** A server with two thousand sessions: searched, scrolled, used with the keyboard, followed by a hundred readers. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import type { SlimStep } from "../../src/inspect/contract.ts"
import { digits, plural } from "../../src/inspect/client/format.ts"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, patienceMillis, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"
import { isSound } from "./isSound.ts"
import { idOf, isClosed, seed } from "./seed.ts"

const total = 2_000

describe.skipIf(chromium === null)("two thousand sessions", () => {
  let troupe: RunningTroupe
  let tries = 0
  beforeAll(async () => {
    const workspace = makeWorkspace()
    await seed(workspace, total)
    troupe = await startTroupe({ TROUPE_MAX_SESSIONS: "5000" }, workspace)
  })
  afterAll(() => troupe?.leave())

  const rows = (page: Page) => page.locator(".grid-row")
  const row = (page: Page, n: number) => page.locator(`[data-session="${idOf(n)}"]`)
  const all = async () => {
    const page = await troupe.visit({ token: adminToken })
    await row(page, 0).waitFor()
    return page
  }
  const matches = (page: Page, count: number) =>
    page.getByText(plural(count, "match", "matches"), { exact: true }).waitFor()

  it("are counted, searched and filtered by the server", async () => {
    const page = await all()
    const closed = Array.from({ length: total }, (_, n) => n).filter(isClosed).length
    await page.getByRole("link", { name: `all ${digits(total)}` }).waitFor()
    await page.getByRole("link", { name: `closed ${closed}` }).click()
    await row(page, 3).waitFor()
    await matches(page, closed)
    assert.deepStrictEqual(new Set(await page.locator(".grid-row .badge b").allTextContents()), new Set(["closed"]))
    await page.getByRole("button", { name: "Clear" }).click()

    await page.getByLabel("Search sessions").fill("needle-in")
    await matches(page, 1)
    await row(page, 1_234).waitFor()
    assert.strictEqual(await rows(page).count(), 1)
    await page.getByLabel("Search sessions").fill("there is no such thing")
    await page.getByRole("heading", { name: "No session matches" }).waitFor()
    await page.getByRole("link", { name: "Show all" }).click()
    await page.getByLabel("Filter by agent").selectOption("codex")
    await page.getByLabel("Filter by app").selectOption("shop")
    await matches(page, Array.from({ length: total }, (_, n) => n).filter((n) => n % 3 === 1).length)
    // The view can be sent as a link.
    const second = await troupe.visit({ token: adminToken, at: new URL(page.url()).hash })
    await matches(second, 667)
  })

  it("are sorted by the database, with the columns and under the names that the reader has chosen", async () => {
    const page = await all()
    await page.getByRole("button", { name: "Turns" }).click()
    const first = page.locator(".grid-row[data-index='0'] .cell-turns")
    await first.filter({ hasText: "16" }).waitFor()
    await page.getByRole("button", { name: "Turns" }).click()
    await first.filter({ hasText: /^0$/ }).waitFor()
    assert.strictEqual(await page.locator(".grid-head [aria-sort]").getAttribute("aria-sort"), "ascending")
    await page.getByRole("button", { name: "Turns" }).click()

    await page.locator("summary", { hasText: "Columns" }).click()
    await page.getByLabel("Another name in meta").fill("ticket")
    await page.getByRole("button", { name: "Add", exact: true }).click()
    await page.getByLabel("Tokens").check()
    await page.keyboard.press("Escape")
    await page.getByLabel("Filter by data of the app").fill("ticket=T-16")
    await page.keyboard.press("Enter")
    await matches(page, 1)
    await page.locator(".grid-row .cell-meta", { hasText: "T-16" }).waitFor()
    assert.strictEqual(await page.locator(".grid-row .cell-name").textContent(), "Ticket 16")

    await page.locator("summary", { hasText: "Saved" }).click()
    await page.getByLabel("Name of the present filter").fill("sixteen")
    await page.getByRole("button", { name: "Save", exact: true }).click()
    await page.getByRole("button", { name: "Forget sixteen" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("link", { name: `idle ${digits(1_500)}` }).click()
    await page.getByRole("button", { name: "Clear" }).click()
    await page.reload()
    await page.locator(".head-meta", { hasText: "ticket" }).waitFor()
    await page.locator("summary", { hasText: "Saved" }).click()
    await page.getByRole("link", { name: "sixteen" }).click()
    await matches(page, 1)
    assert.include(page.url(), "#/sessions?meta=ticket%3DT-16&sort=turns")
    const second = await troupe.visit({ token: adminToken, at: new URL(page.url()).hash })
    await matches(second, 1)
  })

  it("can be scrolled to the last, with no more rows in the document than are visible", async () => {
    const page = await all()
    const most = async () => assert.isAtMost(await rows(page).count(), 80)
    await most()
    await page.locator(".grid").hover()
    await until(
      async () => {
        await page.mouse.wheel(0, 5_000)
        await most()
        return row(page, total - 1).isVisible()
      },
      (isThere) => isThere
    )
    await page.getByText(`All ${plural(total, "session")} shown`).waitFor()
    await page.mouse.wheel(0, -1_000_000)
    await row(page, 0).waitFor()
    await most()
  })

  it("can be found, opened, replayed and left with the keyboard only", async () => {
    const page = await all()
    const id = await troupe.create(await troupe.mint("keys"))
    await troupe.call("POST", `/admin/sessions/${id}/close`, adminToken)
    const press = (...keys: ReadonlyArray<string>) =>
      keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve())
    const focused = (selector: string) =>
      until(
        () => page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`),
        (isIt) => isIt
      )
    await press("/")
    await page.keyboard.type("needle-in")
    await matches(page, 1)
    await press("ArrowDown")
    await focused(`[data-session="${idOf(1_234)}"]`)
    await press("/", "Escape")
    await page.getByText("1 match", { exact: true }).waitFor({ state: "detached" })
    await row(page, 0).waitFor()
    await press("ArrowDown", "j", "j", "k", "End", "Home")
    await focused(".grid-row[data-index='0']")
    await press("/")
    await page.keyboard.type(id)
    await matches(page, 1)
    await press("ArrowDown")
    await focused(`[data-session="${id}"]`)
    await press("Enter")
    await page.locator(".session-head h1", { hasText: id }).waitFor()
    await until(
      () => page.getByRole("slider").getAttribute("max"),
      (max) => max === "1"
    )
    await press("[")
    await page.getByText("before the first step").waitFor()
    await press("]")
    await page.getByText("it is to close").first().waitFor()
    // The browser's own key for this has no effect where there is no window.
    await page.goBack()
    await page.locator(".grid").waitFor()
    await focused(`[data-session="${id}"]`)
    await press("?")
    await page.getByRole("dialog", { name: "Keys" }).waitFor()
    await shoot(page, "keys")
    await press("Escape")
    await press("g", "a")
    await page.getByRole("heading", { name: "Approvals" }).waitFor()
    await press("g", "s")
    await page.locator(".grid").waitFor()
  })

  it("are followed by a hundred readers at once, half of which never read, in bounded memory", async () => {
    const token = await troupe.mint("watched")
    const ids = await Promise.all(Array.from({ length: 20 }, () => troupe.create(token)))
    const before = memoryOf(troupe)
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(patienceMillis)])
    const readers = await Promise.all(
      Array.from({ length: 100 }, () =>
        fetch(`${troupe.url}/inspect/api/steps`, {
          headers: { authorization: `Bearer ${adminToken}` },
          signal
        })
      )
    )
    for (const { status } of readers) assert.strictEqual(status, 200)
    const closed = readers.slice(50).map((response) => closedIn(response, ids.length))
    await Promise.all(ids.map((id) => troupe.call("DELETE", `/sessions/${id}`, token)))
    assert.deepStrictEqual(
      await Promise.all(closed),
      Array.from({ length: 50 }, () => ids.length)
    )
    const after = memoryOf(troupe)
    controller.abort()
    assert.isBelow(after - before, 128 * 1024, `${before} kB before, ${after} kB with a hundred`)
    const page = await all()
    await page.getByText("live", { exact: true }).waitFor()
  })

  it("are closed many at a time: after a question with their number, each with what became of it", async () => {
    // Not the sessions of an earlier try of this test.
    const app = `bulk-${++tries}`
    const token = await troupe.mint(app)
    const ids = await Promise.all(
      Array.from({ length: 12 }, (_, n) => troupe.create(token, { meta: { title: `Batch ${n}` } }))
    )
    const page = await troupe.visit({ token: adminToken, at: `#/sessions?app=${app}&sort=created` })
    const box = (n: number) => page.locator(`[data-session="${ids[n]}"] input`)
    await matches(page, ids.length)
    const order = await page.evaluate<ReadonlyArray<string>>(
      "[...document.querySelectorAll('.grid-row')].map((row) => row.dataset.session)"
    )
    const at = (n: number) => page.locator(`[data-session="${order[n]}"] input`)
    await at(1).click()
    await at(4).click({ modifiers: ["Shift"] })
    await page.getByText("4 sessions chosen").waitFor()
    await page.getByRole("button", { name: "Choose none" }).click()
    await box(0).click()
    await page.getByRole("button", { name: "Choose all 12 that match" }).click()
    await page.getByText("12 sessions chosen").waitFor()

    // One of them is gone before it is done: it is refused, and the others are done.
    await troupe.call("DELETE", `/sessions/${ids[3]}`, token)
    await page.locator(`[data-session="${ids[3]}"]`, { hasText: /closed/i }).waitFor()
    await page.route(`**/sessions/${ids[5]}/close`, (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 503, error: "unavailable", title: "Away", detail: "The ledger is away." })
      })
    )
    await page.getByRole("button", { name: "Close…" }).click()
    const dialog = page.getByRole("dialog", { name: "Close 11 sessions" })
    await dialog.getByText("1 is closed already.").waitFor()
    await shoot(page, "bulk-close")
    await isSound(page, "the question")
    await dialog.getByRole("button", { name: "Close 11 sessions" }).click()
    await page.getByText("Close 11 sessions: 10 done, 1 refused").waitFor()
    await page.locator(".bulk-names .is-refused", { hasText: "Batch 5 refused: The ledger is away." }).waitFor()
    await shoot(page, "bulk-results")
    await isSound(page, "the results")
    const open = await troupe.call("GET", `/inspect/api/sessions?app=${app}&state=idle`, adminToken)
    assert.strictEqual(open.json.count, 1)

    await page.unrouteAll()
    await page.getByRole("button", { name: "Try 1 one again" }).click()
    await page.getByText("Close 11 sessions: 1 done").waitFor()
    const trail = await troupe.call("GET", `/admin/sessions/${ids[5]}/audit`, adminToken)
    assert.deepInclude(
      trail.json.audit.map(({ action, actor }: { action: string; actor: string }) => ({ action, actor })),
      {
        action: "close",
        actor: "admin"
      }
    )
  })
})

const memoryOf = ({ program }: RunningTroupe): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${program().pid}/status`, "utf8"))?.[1])

/** Reads a stream until so many sessions have closed in it; gives their number. */
const closedIn = async (response: Response, wanted: number): Promise<number> => {
  const seen = new Set<string>()
  const decoder = new TextDecoder()
  let rest = ""
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const step = line.startsWith("data: {") ? (JSON.parse(line.slice(6)) as Partial<SlimStep>) : {}
      if (step.to === "closed" && step.row !== undefined) seen.add(step.row.session_id)
    }
    if (seen.size >= wanted) break
  }
  return seen.size
}
