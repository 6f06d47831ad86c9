/** Working in a session on the page: links to a moment. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("working in a session", () => {
  let troupe: RunningTroupe
  let app: string
  let id: string
  beforeAll(async () => {
    troupe = await startTroupe()
    app = await troupe.mint("desk")
    id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.turn(app, id, "read the failing test\ntool ls")
    await troupe.turn(app, id, "crash 3")
    await troupe.turn(app, id, "mend it\ntool echo mended")
  })
  afterAll(() => troupe?.leave())

  const laptop = { token: adminToken, width: 1366, height: 650 }
  const at = (place: string) => `#/sessions/${id}${place}`

  it("a link leads a stranger to its step and part, and the address follows who travels", async () => {
    const page = await troupe.visit({ ...laptop, at: at("/steps/2?tab=state") })
    await page.getByRole("tab", { name: "State", selected: true }).waitFor()
    const slider = page.getByRole("slider")
    await until(
      () => slider.getAttribute("aria-valuetext"),
      (words) => words?.startsWith("step 2,") === true
    )
    await shoot(page, "work-link")
    await slider.press("ArrowRight")
    await page.waitForURL(`**/${at("/steps/3?tab=state")}`)
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.waitForURL(`**/${at("/steps/3?tab=steps")}`)
    await page.getByRole("button", { name: "Live" }).click()
    await page.waitForURL(`**/${at("?tab=steps")}`)
    // A link that is pressed in the page itself leads there too.
    await page.evaluate(`location.hash = ${JSON.stringify(at("/events/2"))}`)
    await page.locator(".row.spotted").waitFor()
    await page.getByRole("tab", { name: "Transcript", selected: true }).waitFor()
    await page.evaluate(`location.hash = ${JSON.stringify(at("/steps/999"))}`)
    await page.getByText("There is no step 999").waitFor()
    assert.strictEqual(await page.getByRole("button", { name: "Live" }).isDisabled(), false)
  })
})
