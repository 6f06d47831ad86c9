/** An agent asks what a person wants, and the person fills in the form: in the inbox, on a phone, and with an error. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type { Browser } from "playwright-core"
import { openScripted } from "../services/scriptedTroupe.ts"
import { chromium, launch, shoot } from "./chromium.ts"
import { logIn } from "./harness.ts"

describe.skipIf(chromium === null)("a question", () => {
  const scope = Scope.makeUnsafe()
  let troupe: Effect.Success<typeof openScripted>
  let browser: Browser
  beforeAll(async () => {
    troupe = await Effect.runPromise(Scope.provide(openScripted, scope))
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const visit = async (at: string, width = 1280) => {
    const page = await (
      await browser.newContext({ viewport: { width, height: 900 }, reducedMotion: "reduce" })
    ).newPage()
    await page.goto(`${troupe.base}/inspect/${at}`)
    await logIn(page, troupe.token)
    return page
  }

  it("is answered by its form, which keeps what was typed where the server refuses it", async () => {
    const { id } = await Effect.runPromise(troupe.asking())
    const page = await visit("#/approvals")
    const form = page.getByRole("form", { name: "What do you want?" })
    await form.getByLabel("How many?").fill("two")
    await form.getByLabel("The token").fill("hunter2")
    await form.getByLabel("Large").check()
    await form.getByRole("button", { name: "Send the answer" }).click()
    await form.getByRole("alert").getByText("“Which colour?” is missing: it takes one of").waitFor()
    await form.getByLabel("Red").check()
    await form.getByRole("button", { name: "Send the answer" }).click()
    await form.getByRole("alert").getByText("“How many?” must be a number.").waitFor()
    assert.strictEqual(await form.getByLabel("How many?").inputValue(), "two")
    assert.strictEqual(await form.getByLabel("How many?").getAttribute("aria-invalid"), "true")
    assert.isTrue(await form.getByLabel("Large").isChecked())
    await shoot(page, "question-refused")
    await form.getByLabel("How many?").fill("2")
    await form.getByLabel("Sure?").check()
    await form.getByRole("button", { name: "Send the answer" }).click()
    await form.waitFor({ state: "detached" })
    const answers = { colour: "red", count: 2, sure: true, sizes: ["l"], token: "hunter2" }
    assert.deepStrictEqual(JSON.parse(await Effect.runPromise(troupe.said(id))), answers)
    await page.context().close()
  })

  it("fits a phone, takes a value that is no option, and is filled in with the keyboard only", async () => {
    const { id } = await Effect.runPromise(troupe.asking())
    const page = await visit(`#/sessions/${id}`, 390)
    await page.getByRole("tab", { name: "Approvals" }).click()
    const form = page.getByRole("form", { name: "What do you want?" })
    await form.getByLabel("Red").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("green")
    await form.getByLabel("How many?").focus()
    await page.keyboard.type("7")
    const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert.strictEqual(overflow, 0)
    await shoot(page, "question-phone")
    await page.keyboard.press("Enter")
    assert.strictEqual(await Effect.runPromise(troupe.said(id)), '{"colour":"green","count":7}')
    await page.locator(".settled li", { hasText: "answered by" }).waitFor()
    await page.context().close()
  })

  it("is declined by a second press", async () => {
    const { id } = await Effect.runPromise(troupe.asking())
    const page = await visit("#/approvals")
    const form = page.getByRole("form", { name: "What do you want?" })
    await form.getByRole("button", { name: "Decline" }).click()
    await form.getByRole("button", { name: "Really decline?" }).click()
    assert.strictEqual(await Effect.runPromise(troupe.said(id)), "declined")
    await page.context().close()
  })
})
