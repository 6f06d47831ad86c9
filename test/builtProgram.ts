/** The program as it is published, which the tests start: it starts in a quarter of the time that the sources take. */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")

/** Run it with `process.execPath`. */
export const main = join(root, "dist", "src", "program", "main.js")

/** Builds it where the sources changed. Vitest calls it before the first test. */
export default function setup(): void {
  execFileSync(process.execPath, [join(root, "scripts", "bundle.ts"), "--if-stale"], { cwd: root, stdio: "inherit" })
}
