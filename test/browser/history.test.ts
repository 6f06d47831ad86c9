/** A session with a long past over a slow link: its present first, its last words next, and what came before as it is wanted. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("a session with a long past", () => {
  let troupe: RunningTroupe
  let app: string
  let id: string
  beforeAll(async () => {
    troupe = await startTroupe()
    app = await troupe.mint("desk")
    id = await troupe.create(app, { permissions: "approve_all" })
    // More events than are fetched at first.
    const tools = Array.from({ length: 90 }, (_, n) => `tool echo ${n}`)
    await troupe.turn(app, id, ["the very beginning", ...tools].join("\n"))
    for (let turn = 2; turn < 8; turn++) await troupe.turn(app, id, `turn number ${turn}`)
  })
  afterAll(() => troupe?.leave())

  const detail = async () => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const log = (page: Page) => page.getByRole("log", { name: "Transcript" })
  /** The list first, so that the session is opened with what a test has done to its requests. */
  const open = async (page: Page) => page.goto(`${troupe.url}/inspect/#/sessions/${id}`)

  it("is shown in its present while its steps are on their way, and says how many are there", async () => {
    const page = await troupe.visit({ token: adminToken })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route(/\/steps\?/, async (route) => {
      await held
      await route.continue()
    })
    const { last_step } = await detail()
    await open(page)
    await page.locator(".session-head .standing", { hasText: `rebuilding 0 of ${last_step}` }).waitFor()
    await page.locator(".session-head .badge", { hasText: "idle awake" }).waitFor()
    await log(page).getByText("turn number 7", { exact: true }).first().waitFor()
    await shoot(page, "history-rebuilding")
    // What comes meanwhile waits for its place behind them, and is said at once.
    await troupe.turn(app, id, "and one more")
    await log(page).getByText("and one more", { exact: true }).first().waitFor()
    release()
    const after = await detail()
    assert.isAbove(after.last_step, last_step)
    await page.locator(".session-head .standing", { hasText: "live" }).waitFor()
    await until(
      () => page.getByRole("slider").getAttribute("max"),
      (max) => max === String(after.last_step)
    )
    assert.strictEqual(await page.getByText("Drift:").count(), 0)
  })

  it("fetches what came before where one travels or scrolls there, and says what is not here", async () => {
    const page = await troupe.visit({ token: adminToken })
    let isCut = true
    await page.route(/\/events\?after=0&/, (route) => (isCut ? route.abort() : route.continue()))
    await open(page)
    const earlier = page.locator(".earlier")
    await earlier.getByText(/\d+ earlier events not here yet: Troupe does not answer/).waitFor()
    await log(page).getByText("turn number 7", { exact: true }).first().waitFor()
    assert.strictEqual(await log(page).getByText("the very beginning").count(), 0)
    await shoot(page, "history-earlier")
    isCut = false
    await page.getByRole("slider").press("Home")
    await log(page).getByText("the very beginning").first().waitFor()
    await earlier.waitFor({ state: "detached" })

    // And by scrolling; what is read stays in its place.
    isCut = true
    await page.goto("about:blank")
    await open(page)
    await earlier.getByText("not here yet: Troupe does not answer").waitFor()
    isCut = false
    await log(page).getByText("and one more", { exact: true }).first().waitFor()
    await log(page).hover()
    await until(
      async () => {
        await page.mouse.wheel(0, -400)
        return earlier.count()
      },
      (count) => count === 0
    )
    assert.isAbove(
      await log(page).evaluate((element: unknown) => (element as { readonly scrollTop: number }).scrollTop),
      0
    )
    await until(
      async () => {
        await page.mouse.wheel(0, -4_000)
        return log(page).getByText("the very beginning").count()
      },
      (count) => count > 0
    )
  })
})
