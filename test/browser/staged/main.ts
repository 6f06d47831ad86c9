/**
 * `npm run staged`: sessions that do not move, staged with real processes, and what the page says of each: a table, and
 * screenshots of the list and of every session at two sizes in artifacts/screenshots, for a person to judge.
 */
import { setTimeout as delay } from "node:timers/promises"
import process from "node:process"
import { shoot, shots } from "../chromium.ts"
import { adminToken } from "../harness.ts"
import { stage } from "./scenes.ts"

const sizes = [
  [1366, 650],
  [1920, 1080]
] as const
/** Seconds after which everything is looked at again: failures are not to be forgotten then. */
const later = Number(process.argv[2] ?? 65)

const { leave, scenes, troupe } = await stage()
try {
  for (const when of ["now", "later"]) {
    if (when === "later") await delay(later * 1_000)
    for (const [width, height] of sizes) {
      const page = await troupe.visit({ token: adminToken, width, height })
      await page.locator(`[data-session]`).first().waitFor()
      await delay(500)
      await shoot(page, `staged-${when}-${width}-list`)
      for (const { name, row, sentence, session } of scenes) {
        await page.goto(`${troupe.url}/inspect/#/sessions`)
        const found = (await page.locator(`[data-session="${session}"]`).innerText()).replaceAll(/\s+/g, " ")
        await page.goto(`${troupe.url}/inspect/#/sessions/${session}`)
        await page.locator(".why-sentence").waitFor()
        // The verdict comes half a second later.
        await delay(2_500)
        const said = (await page.locator(".why").first().innerText()).replaceAll(/\s+/g, " ")
        await shoot(page, `staged-${when}-${width}-${name.replaceAll(/[ ,]+/g, "-")}`)
        if (width !== sizes[0][0]) continue
        process.stdout.write(
          `${when} | ${name} | ${row.test(found) ? "" : "ROW? "}${found} | ${sentence.test(said) ? "" : "SENTENCE? "}${said}\n\n`
        )
      }
      await page.goto(`${troupe.url}/inspect/#/`)
      await delay(1_000)
      await shoot(page, `staged-${when}-${width}-attention`)
      await page.context().close()
    }
  }
  process.stdout.write(`Screenshots: ${shots}\n`)
} finally {
  await leave()
}
