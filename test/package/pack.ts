/** Packs this checkout once for all tests of it: `npm pack`, which builds, or the tarball that `TARBALL` names. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

const root = join(import.meta.dirname, "..", "..")
const tools = join(import.meta.dirname, "tools")
const withinMillis = 300_000

declare module "vitest" {
  interface ProvidedContext {
    readonly tarball: string
  }
}

export default function setup(project: TestProject) {
  installTools()
  const directory = mkdtempSync(join(tmpdir(), "troupe-packed-"))
  project.provide("tarball", process.env["TARBALL"] ?? pack(directory))
  return () => rmSync(directory, { recursive: true, force: true })
}

const pack = (directory: string): string => {
  const npm = ["pack", "--silent", "--pack-destination", directory]
  const said = execFileSync("npm", npm, { cwd: root, encoding: "utf8", timeout: withinMillis })
  return join(directory, said.trim().split("\n").at(-1) ?? "")
}

/** What looks at the package, once for each lock. Its install scripts do not run. */
const installTools = (): void => {
  const stamp = join(tools, "node_modules", ".installed-from-lock")
  const lock = createHash("sha256")
    .update(readFileSync(join(tools, "package-lock.json")))
    .digest("hex")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return
  const npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${tools}`]
  execFileSync("npm", npm, { cwd: tools, stdio: "ignore", timeout: withinMillis })
  writeFileSync(stamp, lock)
}
