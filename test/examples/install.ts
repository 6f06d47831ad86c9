/** Builds the package where its sources are newer, and installs what the examples import beside it, once for each lock. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, globSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const home = join(root, "examples")
const modules = join(home, "node_modules")
const stamp = join(modules, ".installed-from-lock")

const isBuilt = (): boolean => {
  const built = join(root, "dist", "src", "promise.js")
  if (!existsSync(built)) return false
  const since = statSync(built).mtimeMs
  return globSync("{machines,src}/**/*.ts", { cwd: root }).every((file) => statSync(join(root, file)).mtimeMs <= since)
}

/** Vitest calls it before the first test. */
export default function setup(): void {
  if (!isBuilt()) execFileSync(process.execPath, [join(root, "scripts", "build.ts")], { cwd: root, stdio: "inherit" })
  const lock = createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex")
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${home}`]
    execFileSync("npm", npm, { cwd: home, stdio: "inherit" })
    writeFileSync(stamp, lock)
  }
  // Where an app has the package from the registry, the examples have this one.
  const link = join(modules, "troupe")
  rmSync(link, { recursive: true, force: true })
  symlinkSync(root, link, "dir")
}
