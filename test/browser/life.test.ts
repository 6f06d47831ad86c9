/** A session's life as one sees it: every state, a death, orders from the page, its time again, and its end. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import process from "node:process"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, openHouse, until } from "./harness.ts"
import type { House } from "./harness.ts"

describe.skipIf(chromium === null)("a session's life", () => {
  let house: House
  let app: string
  beforeAll(async () => {
    house = await openHouse()
    app = await house.mint("desk")
  })
  afterAll(() => house?.leave())

  const detail = async (id: string) => (await house.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const isIn = (substate: string) => (read: { readonly session: { readonly substate: string } }) =>
    read.session.substate === substate

  it("goes through all four states in the table, and through a kill", async () => {
    const page = await house.visit({ token: adminToken })
    const id = await house.create(app)
    const row = page.locator(`[data-session="${id}"]`)
    await row.waitFor()
    await remember(page, `[data-session="${id}"] .badge`)
    const stands = (words: string) => row.locator(".badge", { hasText: words }).waitFor()
    await stands("idle asleep")

    await house.begin(app, id, "slow 100000 20")
    await stands("turning running")
    const killed: number = (
      await until(
        () => detail(id),
        ({ process }) => process.pid !== null
      )
    ).process.pid
    process.kill(killed, "SIGKILL")
    // It comes back by itself: shorter than one may look, so the page is asked what it has shown.
    await stands("idle awake")
    await until(
      () => shownOf(page),
      (shown) => shown.includes("idle backing off")
    )
    assert.strictEqual(await row.locator(".cell-restarts").textContent(), "1")
    const { processes } = await detail(id)
    assert.match(processes[0].exit, /SIGKILL/)

    // It hears nobody for as long as it is stopped, so its end can be watched.
    const { pid } = (await detail(id)).process
    process.kill(pid, "SIGSTOP")
    await row.click()
    await press(page, "Close", "Really close?")
    await page.locator(".session-head .badge", { hasText: "retiring" }).waitFor()
    await page.goBack()
    await stands("retiring")
    process.kill(pid, "SIGCONT")
    await stands("closed")
    const states = new Set((await shownOf(page)).map((words) => words.split(" ", 1)[0]))
    assert.isTrue(states.has("closed"))
    await page.getByRole("button", { name: /^closed/ }).click()
    await row.waitFor()
    await page.getByRole("button", { name: /^idle/ }).click()
    await row.waitFor({ state: "detached" })
  })

  it("is interrupted from its view, by a second press", async () => {
    const id = await house.create(app)
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle asleep")
    await house.begin(app, id, "slow 100000 20")
    await badge(page, "turning running")
    await page.getByText("word5").first().waitFor()
    await page.getByRole("button", { name: "Interrupt", exact: true }).click()
    await page.keyboard.press("Escape")
    assert.strictEqual((await detail(id)).session.state, "turning")
    await press(page, "Interrupt", "Really interrupt?")
    await badge(page, "idle awake")
    const { turns } = await detail(id)
    assert.strictEqual(turns[0].status, "interrupted")
    const { json } = await house.call("GET", `/admin/sessions/${id}/audit`, adminToken)
    assert.include(JSON.stringify(json), "interrupt")
  })

  it("says why it is parked, and is unparked by the admin only", async () => {
    const id = await house.create(app)
    await parked(id)
    const theirs = await house.visit({ token: app, at: `#/sessions/${id}` })
    await badge(theirs, "idle parked")
    assert.strictEqual(await theirs.getByRole("button", { name: "Unpark", exact: true }).count(), 0)

    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle parked")
    await page.getByRole("tab", { name: "Restarts" }).click()
    await page.getByText("0 of 3").first().waitFor()
    await page.getByText(/It comes back by itself in/).waitFor()
    await shoot(page, "session-parked")
    await press(page, "Unpark", "Really unpark?")
    await badge(page, "idle asleep")
    await badge(theirs, "idle asleep")
    assert.strictEqual((await house.turn(app, id, "still there")).json.ok, true)
  })

  it("is gone through again step by step, lights the chart as it was, and comes back to now", async () => {
    const id = await house.create(app)
    await house.turn(app, id, "tool echo hello")
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle awake")
    const active = page.locator(".session-chart [class~=state][class~=active]")
    await travelled(page, house, id)
    // To the end again, from where a press leads there at once.
    const slider = page.getByRole("slider")
    await slider.press("Home")
    await page.getByText("before the first step").waitFor()
    await badge(page, "idle asleep")
    await slider.press("ArrowRight")
    await badge(page, "turning")
    await shoot(page, "session-travel")
    assert.isAbove(await active.count(), 0)
    await house.begin(app, id, "hello again")
    await until(
      () => detail(id),
      ({ session }) => session.turns === 2 && session.state === "idle"
    )
    // What happens meanwhile takes nobody out of the past.
    await badge(page, "turning")
    await page.getByRole("button", { name: "Live" }).click()
    await badge(page, "idle awake")
  })

  it("can be gone through when it is closed", async () => {
    const id = await house.create(app)
    await house.turn(app, id, "tool echo hello")
    await house.call("DELETE", `/sessions/${id}`, app)
    await until(() => detail(id), isIn("closed"))
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "closed")
    await page.getByText("complete", { exact: true }).waitFor()
    assert.strictEqual(await page.getByRole("button", { name: "Close", exact: true }).count(), 0)
    await travelled(page, house, id)
    await page.getByRole("button", { name: "Last" }).click()
    await badge(page, "closed")
    await shoot(page, "session-closed")
  })

  it("shows the agent's line behind a step, and its processes", async () => {
    const id = await house.create(app)
    await house.begin(app, id, "tool sleep 300")
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "turning running")
    await page.getByRole("tab", { name: "Process" }).click()
    await page.locator(".tree code", { hasText: "sleep 300" }).first().waitFor()
    // Each below its parent, and further to the right.
    const branches = await page.locator(".tree td:nth-child(2)").allInnerTexts()
    assert.match(branches.at(-1) ?? "", /^ +└─ *sleep 300$/)
    await shoot(page, "session-processes")
    await press(page, "Interrupt", "Really interrupt?")
    await badge(page, "idle awake")
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.getByRole("button", { name: "wire" }).last().click()
    await page.getByText("stopReason").waitFor()
    await page.locator(".step.current code", { hasText: "turn.ended" }).waitFor()
    assert.isAbove((await page.locator(".step.current .step-line").boundingBox())?.width ?? 0, 400)
    await shoot(page, "session-steps")
  })

  const parked = async (id: string) => {
    for (let death = 0; death < 4; death++) await house.turn(app, id, "crash 1")
    await until(() => detail(id), isIn("idle.parked"))
  }
})

const badge = (page: Page, words: string) => page.locator(".session-head .badge", { hasText: words }).waitFor()

/** Both presses of a button that asks again. */
const press = async (page: Page, first: string, again: string) => {
  await page.getByRole("button", { name: first, exact: true }).click()
  await page.getByRole("button", { name: again }).click()
}

/** Keeps every text that an element has had. */
const remember = (page: Page, selector: string) =>
  page.evaluate(`(() => {
    const shown = (window.shown = [])
    const look = () => {
      const words = document.querySelector(${JSON.stringify(selector)})?.innerText.replace(/\\s+/g, " ").trim()
      if (words && shown.at(-1) !== words) shown.push(words)
    }
    look()
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
  })()`)

const shownOf = (page: Page) => page.evaluate<ReadonlyArray<string>>("window.shown")

/** Back over every step: each shows the state that the ledger has of it. */
const travelled = async (page: Page, house: House, id: string) => {
  const { json } = await house.call("GET", `/inspect/api/sessions/${id}/steps?limit=500`, adminToken)
  const steps: ReadonlyArray<{ readonly seq: number; readonly to: string }> = json.steps
  const slider = page.getByRole("slider")
  assert.isAbove(steps.length, 3)
  await until(
    () => slider.getAttribute("max"),
    (max) => max === String(steps.length)
  )
  for (const { seq, to } of steps.toReversed()) {
    const said = await slider.getAttribute("aria-valuetext")
    assert.include(said, `step ${seq},`)
    assert.isTrue(said?.endsWith(` to ${to}`), `${said} should end in ${to}`)
    const words = (await page.locator(".session-head .badge").innerText()).replaceAll(/\s+/g, "")
    assert.strictEqual(words.toLowerCase(), to.replace(".", "").toLowerCase())
    await slider.press("ArrowLeft")
  }
  assert.strictEqual(await page.getByText("Drift:").count(), 0)
}
