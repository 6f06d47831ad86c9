/**
 * `npm run docs:build`: the site of the pages of `docs/`, in `docs/site/dist`. Its generator has a package and a lock of its
 * own, so that nobody else installs it. A link to a page that is not there fails the build.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const site = join(import.meta.dirname, "..", "..", "docs", "site")
const stamp = join(site, "node_modules", ".installed-from-lock")

const lock = createHash("sha256")
  .update(readFileSync(join(site, "package-lock.json")))
  .digest("hex")
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  execFileSync("npm", ["ci", "--ignore-scripts", `--prefix=${site}`], { cwd: site, stdio: "inherit" })
  writeFileSync(stamp, lock)
}
const vitepress = join(site, "node_modules", "vitepress", "bin", "vitepress.js")
const { status } = spawnSync(process.execPath, [vitepress, "build", site], { stdio: "inherit" })
process.exitCode = status ?? 1
