/** Installs the pinned agents beside this file: 2.2 GB, a minute. */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { installFromLock } from "../installFromLock.ts"

const home = import.meta.dirname

/** Vitest calls it before the first test. */
export default function setup(): void {
  installFromLock(home, "the real agents (2.2 GB, a minute, once)", () => {
    // Each puts the native binary of this platform where the package's program points.
    for (const script of ["@anthropic-ai/claude-code/install.cjs", "opencode-ai/postinstall.mjs"]) {
      execFileSync(process.execPath, [join(home, "node_modules", script)], { stdio: "inherit" })
    }
  })
}
