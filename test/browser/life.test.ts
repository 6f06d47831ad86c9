/** A session from its creation to its close, on the page: every state, a death, actions, time travel. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import process from "node:process"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("a session on the page", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    troupe = await startTroupe()
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const detail = async (id: string) => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const isIn = (substate: string) => (read: { readonly session: { readonly substate: string } }) =>
    read.session.substate === substate

  it("is shown in all four states in the table, also after a kill", async () => {
    const page = await troupe.visit({ token: adminToken })
    const id = await troupe.create(app)
    const row = page.locator(`[data-session="${id}"]`)
    await row.waitFor()
    await page.locator("summary", { hasText: "Columns" }).click()
    await page.getByLabel("Restarts").check()
    await page.keyboard.press("Escape")
    await remember(page, `[data-session="${id}"] .badge`)
    const showsState = (words: string) => row.locator(".badge", { hasText: words }).waitFor()
    await showsState("idle asleep")

    await troupe.begin(app, id, "slow 100000 20")
    await showsState("turning running")
    const killed: number = (
      await until(
        () => detail(id),
        ({ process }) => process.pid !== null
      )
    ).process.pid
    process.kill(killed, "SIGKILL")
    // It restarts by itself, faster than a test can look, so the page records what it has shown.
    await showsState("idle awake")
    await until(
      () => shownOf(page),
      (states) => states.includes("idle backing off")
    )
    assert.strictEqual(await row.locator(".cell-restarts").textContent(), "1")
    const { processes } = await detail(id)
    assert.match(processes[0].exit, /SIGKILL/)

    // While it is stopped (SIGSTOP) it does not react, so its end can be watched.
    const { pid } = (await detail(id)).process
    process.kill(pid, "SIGSTOP")
    await row.click()
    await press(page, "Close", "Really close?")
    await page.locator(".session-head .badge", { hasText: "retiring" }).waitFor()
    await page.goBack()
    await showsState("retiring")
    process.kill(pid, "SIGCONT")
    await showsState("closed")
    const states = new Set((await shownOf(page)).map((words) => words.split(" ", 1)[0]))
    assert.isTrue(states.has("closed"))
    await page.getByRole("link", { name: /^closed/ }).click()
    await row.waitFor()
    await page.getByRole("link", { name: /^idle/ }).click()
    await row.waitFor({ state: "detached" })
  })

  it("is interrupted from its view, by a second press", async () => {
    const id = await troupe.create(app)
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle asleep")
    await troupe.begin(app, id, "slow 100000 20")
    await badge(page, "turning running")
    await page.getByText("word5").first().waitFor()
    await page.getByRole("button", { name: "Interrupt", exact: true }).click()
    await page.keyboard.press("Escape")
    assert.strictEqual((await detail(id)).session.state, "turning")
    await press(page, "Interrupt", "Really interrupt?")
    await badge(page, "idle awake")
    const { turns } = await detail(id)
    assert.strictEqual(turns[0].status, "interrupted")
    const { json } = await troupe.call("GET", `/admin/sessions/${id}/audit`, adminToken)
    assert.include(JSON.stringify(json), "interrupt")
  })

  it("says why it is parked, and is unparked by the admin only", async () => {
    const id = await troupe.create(app)
    await parked(id)
    const theirs = await troupe.visit({ token: app, at: `#/sessions/${id}` })
    await badge(theirs, "idle parked")
    assert.strictEqual(await theirs.getByRole("button", { name: "Unpark", exact: true }).count(), 0)

    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle parked")
    await page.getByRole("tab", { name: "Restarts" }).click()
    await page.getByText("0 of 3").first().waitFor()
    await page.locator(".parked", { hasText: /It takes turns again in/ }).waitFor()
    await shoot(page, "session-parked")
    await press(page, "Unpark", "Really unpark?")
    await badge(page, "idle asleep")
    await badge(theirs, "idle asleep")
    assert.strictEqual((await troupe.turn(app, id, "still there")).json.ok, true)
  })

  it("is replayed step by step, with the chart as it was at each, and returns to live", async () => {
    const id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.turn(app, id, "tool echo hello")
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "idle awake")
    const active = page.locator(".session-chart [class~=state][class~=active]")
    await travelled(page, troupe, id)
    // Back to the end, by one press.
    const slider = page.getByRole("slider")
    await slider.press("Home")
    await page.getByText("before the first step").waitFor()
    await badge(page, "idle asleep")
    await slider.press("ArrowRight")
    await badge(page, "turning")
    await shoot(page, "session-travel")
    assert.isAbove(await active.count(), 0)
    await troupe.begin(app, id, "hello again")
    await until(
      () => detail(id),
      ({ session }) => session.turns === 2 && session.state === "idle"
    )
    // Later steps do not end time travel.
    await badge(page, "turning")
    await page.getByRole("button", { name: "Live" }).click()
    await badge(page, "idle awake")
  })

  it("can be replayed when it is closed", async () => {
    const id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.turn(app, id, "tool echo hello")
    await troupe.call("DELETE", `/sessions/${id}`, app)
    await until(() => detail(id), isIn("closed"))
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "closed")
    await page.getByText("complete", { exact: true }).waitFor()
    assert.strictEqual(await page.getByRole("button", { name: "Close", exact: true }).count(), 0)
    await travelled(page, troupe, id)
    await page.getByRole("button", { name: "Last" }).click()
    await badge(page, "closed")
    await shoot(page, "session-closed")
  })

  it("shows the agent's line behind a step, and its processes", async () => {
    const id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.begin(app, id, "tool sleep 300")
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await badge(page, "turning running")
    await page.getByRole("tab", { name: "Process" }).click()
    await page.locator(".tree code", { hasText: "sleep 300" }).first().waitFor()
    // Each below its parent, and indented further.
    const branches = await page.locator(".tree td:nth-child(2)").allInnerTexts()
    assert.match(branches.at(-1) ?? "", /^ +└─ *sleep 300$/)
    await shoot(page, "session-processes")
    await press(page, "Interrupt", "Really interrupt?")
    await badge(page, "idle awake")
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.getByRole("button", { name: "wire" }).last().click()
    await page.getByText("stopReason").waitFor()
    await page.locator(".step.current", { hasText: "the turn ends" }).waitFor()
    assert.isAbove((await page.locator(".step.current .step-line").boundingBox())?.width ?? 0, 400)
    await shoot(page, "session-steps")
  })

  const parked = async (id: string) => {
    for (let death = 0; death < 4; death++) await troupe.turn(app, id, "crash 1")
    await until(() => detail(id), isIn("idle.parked"))
  }
})

const badge = (page: Page, words: string) => page.locator(".session-head .badge", { hasText: words }).waitFor()

/** Both presses of a button that asks for confirmation. */
const press = async (page: Page, first: string, again: string) => {
  await page.getByRole("button", { name: first, exact: true }).click()
  await page.getByRole("button", { name: again }).click()
}

/** Records every text that an element has had. */
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

/** Goes back over every step: each shows the state that the ledger has for it. */
const travelled = async (page: Page, troupe: RunningTroupe, id: string) => {
  const { json } = await troupe.call("GET", `/inspect/api/sessions/${id}/steps?limit=500`, adminToken)
  const steps: ReadonlyArray<{ readonly seq: number; readonly to: string }> = json.steps
  const slider = page.getByRole("slider")
  assert.isAbove(steps.length, 3)
  await until(
    () => slider.getAttribute("max"),
    (max) => max === String(steps.length)
  )
  for (const { seq, to } of steps.toReversed()) {
    const valueText = await slider.getAttribute("aria-valuetext")
    assert.include(valueText, `step ${seq},`)
    assert.isTrue(valueText?.endsWith(` to ${to}`), `${valueText} should end in ${to}`)
    const words = (await page.locator(".session-head .badge").innerText()).replaceAll(/\s+/g, "")
    assert.strictEqual(words.toLowerCase(), to.replace(".", "").toLowerCase())
    await slider.press("ArrowLeft")
  }
  assert.strictEqual(await page.getByText("Drift:").count(), 0)
}
