/** Fails where a page is wider than its window, or axe finds a serious fault in it. */
import { assert } from "@effect/vitest"
import axe from "axe-core"
import type { Page } from "playwright-core"

export const isSound = async (page: Page, where: string) => {
  const { innerWidth, scrollWidth } = await page.evaluate<{ innerWidth: number; scrollWidth: number }>(
    "({ innerWidth, scrollWidth: document.documentElement.scrollWidth })"
  )
  assert.isAtMost(scrollWidth, innerWidth, `${where} scrolls sideways`)
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`)
  assert.deepStrictEqual(serious, [], where)
}
