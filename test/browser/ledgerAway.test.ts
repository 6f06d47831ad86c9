/** The ledger is away while a page is open: the page says so, and stops saying it when the ledger is back. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("a ledger that is away", () => {
  let troupe: RunningTroupe
  beforeAll(async () => {
    troupe = await startTroupe()
  })
  afterAll(() => troupe?.leave())

  it("is named on every page, with the reason, until it is back", async () => {
    const app = await troupe.mint("desk")
    const id = await troupe.create(app)
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    await page.locator(".session-head .badge", { hasText: "idle" }).waitFor()
    const db = new DatabaseSync(join(troupe.workspace.cwd, ".troupe", "troupe.sqlite"))
    db.exec("BEGIN IMMEDIATE")
    // Held, and done when the ledger is back.
    const closing = troupe.call("DELETE", `/sessions/${id}`, app)
    const banner = page.getByText("Troupe takes no new work: the ledger has been away")
    await banner.waitFor()
    assert.match((await banner.textContent()) ?? "", /\(database is locked\): commits are held\.$/)
    await shoot(page, "ledger-away")
    db.exec("COMMIT")
    db.close()
    await banner.waitFor({ state: "detached" })
    assert.strictEqual((await closing).status, 200)
    await page.locator(".session-head .badge", { hasText: "closed" }).waitFor()
  })
})
