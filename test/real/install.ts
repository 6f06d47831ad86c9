/**
 * Installs the pinned agents beside this file, once for each lock: 2.2 GB, a minute.
 *
 * Install scripts of packages do not run, whatever npm's settings are; those that are needed are called by name.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const home = import.meta.dirname
const stamp = join(home, "node_modules", ".installed-from-lock")

const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex")

/** Vitest calls it before the first test. */
export default function setup(): void {
  const lock = lockHash()
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return
  console.log("Installing the real agents (2.2 GB, a minute, once)")
  const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${home}`]
  execFileSync("npm", npm, { cwd: home, stdio: "inherit" })
  // Each puts the native binary of this platform where the package's program points.
  for (const script of ["@anthropic-ai/claude-code/install.cjs", "opencode-ai/postinstall.mjs"]) {
    execFileSync(process.execPath, [join(home, "node_modules", script)], { stdio: "inherit" })
  }
  writeFileSync(stamp, lock)
}
