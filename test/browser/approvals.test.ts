/** An agent asks and a person answers: in the inbox, in the session's view, and with the keyboard only. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("an approval", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    troupe = await startTroupe()
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  const asking = async (prompt: string) => {
    const id = await troupe.create(app, { permissions: "ask" })
    await troupe.begin(app, id, prompt)
    await until(
      async () => (await troupe.call("GET", `/sessions/${id}/approvals`, app)).json,
      ({ count }) => count === 1
    )
    return id
  }
  const ended = (id: string) =>
    until(
      async () => (await troupe.call("GET", `/sessions/${id}/turns/1`, app)).json,
      (turn) => turn.status === "completed"
    )

  it("appears in an open inbox, and is answered there by a second press", async () => {
    const page = await troupe.visit({ token: adminToken, at: "#/approvals" })
    await page.getByText("Nobody waits for an answer").waitFor()
    const allowed = await asking("ask-tool echo it-was-done")
    const denied = await asking("ask-tool echo it-was-not")
    const card = (title: string) => page.getByRole("article", { name: title })
    await card("echo it-was-done").waitFor()
    await card("echo it-was-not").waitFor()
    assert.strictEqual(await page.locator('.nav a[href="#/approvals"] .pill').textContent(), "2")
    await card("echo it-was-done").getByText("The request as the agent sent it").click()
    await card("echo it-was-done").getByText('"kind": "execute"').first().waitFor()
    await shoot(page, "approvals")

    await answer(page, "echo it-was-done", "Allow once", "Really allow?")
    await card("echo it-was-done").waitFor({ state: "detached" })
    assert.include(JSON.stringify(await ended(allowed)), "The command printed:\\nit-was-done")
    await answer(page, "echo it-was-not", "Deny", "Really deny?")
    await page.getByText("Nobody waits for an answer").waitFor()
    assert.include(JSON.stringify(await ended(denied)), "was not run")
    assert.strictEqual(await page.locator('.nav a[href="#/approvals"] .pill').count(), 0)
  })

  it("is answered in its session's view with the keyboard only, and stays in the history", async () => {
    const id = await asking("ask-tool echo for-the-session")
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.locator(".session-head .badge", { hasText: "asking" }).waitFor()
    await page.getByRole("tab", { name: "Approvals" }).focus()
    await page.keyboard.press("Enter")
    const always = page.getByRole("button", { name: "Allow for the session" })
    await always.focus()
    await shoot(page, "session-asking")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await ended(id)
    await page.locator(".settled li", { hasText: "session by" }).waitFor()
    await page.locator(".session-head .badge", { hasText: "idle awake" }).waitFor()
    // Its kind is allowed from now on, without another approval.
    const again = await troupe.turn(app, id, "ask-tool echo once-more")
    assert.include(again.json.final_text, "once-more")
    const { json } = await troupe.call("GET", `/admin/sessions/${id}/audit`, adminToken)
    assert.include(JSON.stringify(json), "approval")
  })

  it("is answered with others of its kind from the list of sessions that ask, each in the name of who pressed", async () => {
    const ids = [await asking("ask-tool echo of-many-1"), await asking("ask-tool echo of-many-2")]
    const page = await troupe.visit({ token: app, at: "#/sessions?substate=turning.asking" })
    for (const id of ids) await page.locator(`[data-session="${id}"] input`).click()
    await page.getByText("2 sessions chosen").waitFor()
    // Only the admin may unpark.
    assert.strictEqual(await page.getByRole("button", { name: "Unpark…" }).count(), 0)
    await page.getByRole("button", { name: "Answer…" }).click()
    const dialog = page.getByRole("dialog", { name: "Answer requests" })
    await dialog.getByText("echo of-many-1", { exact: true }).waitFor()
    await isSound(page, "the question")
    await dialog.getByRole("button", { name: "Allow 2 once" }).click()
    await page.getByText("Allow once: 2 requests to execute: 2 done").waitFor()
    for (const id of ids) {
      assert.include(JSON.stringify(await ended(id)), "of-many")
      const { json } = await troupe.call("GET", `/admin/sessions/${id}/audit`, adminToken)
      const answered = json.audit.filter(({ action }: { readonly action: string }) => action.startsWith("approval"))
      assert.include(JSON.stringify(answered), '"actor":"desk"')
    }
  })

  it("disappears from every page when it is answered elsewhere", async () => {
    const id = await asking("ask-tool echo elsewhere")
    const inbox = await troupe.visit({ token: adminToken, at: "#/approvals" })
    const view = await troupe.visit({ token: app, at: `#/sessions/${id}` })
    await inbox.getByRole("article", { name: "echo elsewhere" }).waitFor()
    await view.locator(".session-head .badge", { hasText: "asking" }).waitFor()
    const { json } = await troupe.call("GET", `/sessions/${id}/approvals`, app)
    await troupe.call("POST", `/sessions/${id}/approvals/${json.approvals[0].approval_id}`, app, { decision: "deny" })
    await inbox.getByText("Nobody waits for an answer").waitFor()
    await view.locator(".session-head .badge", { hasText: "idle awake" }).waitFor()
  })
})

const answer = async (page: Page, title: string, first: string, again: string) => {
  const card = page.getByRole("article", { name: title })
  await card.getByRole("button", { name: first, exact: true }).click()
  await card.getByRole("button", { name: again }).click()
}
