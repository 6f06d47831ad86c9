/** The installed Chromium, started so that it connects to the page's own server only. */
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { chromium as engine } from "playwright-core"
import type { Browser, Page } from "playwright-core"

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

/** `null`: there is none, and the tests that need it are skipped. */
export const chromium: string | null =
  [process.env["CHROMIUM_BIN"] ?? "", ...places].find((path) => path !== "" && existsSync(path)) ?? null

export const launch = (): Promise<Browser> =>
  engine.launch({
    executablePath: chromium ?? "chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })

/** Kept beside the test's report, for people to look at. */
export const shots = join(import.meta.dirname, "..", "..", "artifacts", "screenshots")

export const shoot = async (page: Page, name: string): Promise<void> => {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`) })
}
