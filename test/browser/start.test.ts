/** A person starts a session in the dashboard, talks with its agent, forks it, and goes on with a conversation. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("a session that is started in the dashboard", () => {
  let troupe: RunningTroupe
  let token: string
  beforeAll(async () => {
    troupe = await startTroupe()
    token = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const sessionOf = (page: Page) =>
    until(
      () => /#\/sessions\/(ses_[\w-]+)/.exec(page.url())?.[1] ?? "",
      (id) => id !== ""
    )
  const log = (page: Page) => page.getByRole("log", { name: "Transcript" })
  const fits = async (page: Page) => {
    const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert.strictEqual(overflow, 0)
  }

  it("begins with a prompt, takes further ones, and goes on in a copy", async () => {
    const page = await troupe.visit({ token })
    await page.getByRole("link", { name: "New session" }).click()
    const form = page.getByRole("form", { name: "New session" })
    await form.getByLabel("Agent").selectOption("demo")
    await form.getByLabel("Permissions").selectOption("approve_all")
    await form.getByText("Everything that the operator allows happens").waitFor()
    await form.getByLabel("Directory").fill("relative")
    await form.getByLabel("Model").fill("demo-large")
    await form.getByLabel("Prompt").fill("the bird is a heron")
    await form.getByRole("button", { name: "Start the session" }).click()
    await form.getByRole("alert").getByText("cwd must be an absolute path").waitFor()
    await shoot(page, "start-refused")
    // What was typed is kept.
    await form.getByLabel("Directory").fill("")
    await form.getByRole("button", { name: "Start the session" }).click()
    const first = await sessionOf(page)
    await log(page).getByText("You said: the bird is a heron").waitFor()
    await page.locator(".session-facts", { hasText: "demo-large" }).waitFor()

    await page.getByLabel("Prompt", { exact: true }).fill("slow 40 25")
    await page.keyboard.press("Enter")
    await log(page).getByText("word1").first().waitFor()
    // It waits for the end of the running turn.
    await page.getByLabel("Prompt", { exact: true }).fill("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.getByRole("button", { name: "Send" }).click()
    await log(page).getByText("You said: one").waitFor()
    assert.strictEqual(await page.getByLabel("Prompt", { exact: true }).inputValue(), "")
    await shoot(page, "start-talking")

    await log(page).getByRole("button", { name: "Fork here" }).click()
    await log(page).getByRole("button", { name: "Really, up to turn 3?" }).click()
    const copy = await until(
      () => sessionOf(page),
      (id) => id !== first
    )
    await page.locator("h1", { hasText: copy }).waitFor()
    await page.getByLabel("Prompt", { exact: true }).fill("recall")
    await page.keyboard.press("Enter")
    await log(page).getByText("the bird is a heron").waitFor()
    await page.context().close()
  })

  it("goes on with a conversation of the agent's, chosen with the keyboard on a phone", async () => {
    const id = await troupe.create(token, { permissions: "approve_all" })
    await troupe.turn(token, id, "remember the swan")
    const page = await troupe.visit({ token, width: 390, height: 844 })
    await page.keyboard.press("n")
    const form = page.getByRole("form", { name: "New session" })
    await form.getByRole("button", { name: "Show those that it has" }).press("Enter")
    await form.getByRole("radio", { name: "remember the swan" }).waitFor()
    await form.getByRole("radio", { name: "remember the swan" }).press(" ")
    await fits(page)
    await shoot(page, "start-phone")
    await form.getByRole("button", { name: "Start the session" }).press("Enter")
    await form.getByRole("alert").getByText("another session").waitFor()
    await troupe.call("DELETE", `/sessions/${id}`, token)
    await form.getByLabel("Prompt").fill("recall")
    await form.getByRole("button", { name: "Start the session" }).press("Enter")
    await sessionOf(page)
    await log(page).getByText("remember the swan").waitFor()
    await log(page).getByRole("button", { name: "Fork here" }).scrollIntoViewIfNeeded()
    await page.getByLabel("Prompt", { exact: true }).scrollIntoViewIfNeeded()
    await fits(page)
    await shoot(page, "start-phone-session")
    await page.context().close()
  })

  it("is one of an app that the admin chooses", async () => {
    const page = await troupe.visit({ token: adminToken, at: "#/new", colorScheme: "dark" })
    const form = page.getByRole("form", { name: "New session" })
    await form.getByLabel("App").selectOption("desk")
    await shoot(page, "start-admin")
    await form.getByRole("button", { name: "Start the session" }).click()
    await sessionOf(page)
    await page.getByText("app desk").waitFor()
    await page.context().close()
  })
})
