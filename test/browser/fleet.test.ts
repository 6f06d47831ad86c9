/** The overview: turns over time, whose bars open their sessions, and who has the process slots. */
import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("the overview", () => {
  let troupe: RunningTroupe
  beforeAll(async () => {
    troupe = await startTroupe({ TROUPE_MAX_PROCESSES: "3", TROUPE_POOL_WAIT: "10 minutes" })
  })
  afterAll(() => troupe?.leave())

  it("has bars that open the sessions behind them, places with who waits, agents by version, and usage by app", async () => {
    const desk = await troupe.mint("desk")
    const shop = await troupe.mint("shop")
    const page = await troupe.visit({ token: adminToken, at: "#/fleet", width: 1366, height: 650 })
    await page.getByText("No session has a process.").waitFor()
    const failed = await troupe.create(desk)
    for (const prompt of ["hello", "fail model", "one\nslow 20 0", "two"]) await troupe.turn(desk, failed, prompt)
    await troupe.turn(shop, await troupe.create(shop), "hello")
    for (let nth = 0; nth < 3; nth++) await troupe.begin(desk, await troupe.create(desk), "hang")
    const pool = page.getByRole("region", { name: "Process slots", exact: true })
    // Those that were idle have made room.
    await until(
      () => pool.getByRole("row").filter({ hasText: "running" }).count(),
      (count) => count === 3
    )
    const waiting = await troupe.create(shop)
    await troupe.begin(shop, waiting, "hello")
    await pool.getByText("3 of 3 taken, 1 in line").waitFor()
    await pool.getByRole("row").filter({ hasText: "1. in line" }).locator(`a[href$="${waiting}"]`).waitFor()
    const agents = page.getByRole("region", { name: "Agents", exact: true })
    await agents.getByRole("row").filter({ hasText: "demo" }).getByText("1 (20 %)").waitFor()
    await page.getByRole("region", { name: "Tokens and cost", exact: true }).getByText("shop").waitFor()
    await shoot(page, "fleet-1366")
    await isSound(page, "overview")

    // The last turns may have ended on both sides of a step's bound.
    await page.getByRole("button", { name: /1 failed/ }).click()
    const behind = page.locator(".fleet-behind")
    await behind.getByText("Turn 2 model:").waitFor()
    await behind.getByRole("button", { name: "Last active then" }).click()
    await behind.locator(`a[href$="${failed}"]`).first().waitFor()
    await page.setViewportSize({ width: 1920, height: 1080 })
    await shoot(page, "fleet-1920")
    await isSound(page, "overview with sessions")
    await page.getByRole("button", { name: "24 hours" }).click()
    await page.getByRole("button", { name: /1 failed/ }).waitFor()
    await page.setViewportSize({ width: 390, height: 844 })
    await shoot(page, "fleet-390")
    await isSound(page, "overview, narrow")
    await page.getByRole("button", { name: /1 failed/ }).click()
    await behind.locator(`a[href$="${failed}"]`).first().click()
    await page.waitForURL(`**/#/sessions/${failed}`)
  })
})
