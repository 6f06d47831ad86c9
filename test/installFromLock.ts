/** Installs the packages of a folder that has a manifest and a lock of its own, once for each lock. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * `what` is said before it begins. Install scripts of packages do not run, whatever npm's settings are: `afterwards` calls
 * those that are needed by name.
 */
export const installFromLock = (home: string, what: string, afterwards: () => void = () => {}): void => {
  const stamp = join(home, "node_modules", ".installed-from-lock")
  const lock = createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return
  console.log(`Installing ${what}`)
  const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${home}`]
  execFileSync("npm", npm, { cwd: home, stdio: "inherit" })
  afterwards()
  writeFileSync(stamp, lock)
}
