/** Builds the page where it is older than its sources, and warns where there is no Chromium to show it. */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { chromium } from "./chromium.ts"

const root = join(import.meta.dirname, "..", "..")

/** Vitest calls it before the first test. */
export default function setup(): void {
  if (chromium === null) {
    console.warn(
      "No Chromium was found, so nothing is tested in a browser. Install it (Debian: apt-get install chromium), or name one in CHROMIUM_BIN."
    )
    return
  }
  execFileSync(process.execPath, [join(root, "scripts", "page.ts"), "--if-stale"], { cwd: root, stdio: "inherit" })
}
