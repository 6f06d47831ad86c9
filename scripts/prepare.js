/**
 * npm runs this after an installation in a checkout, where nothing is to be done, and before it packs a checkout that an app
 * has as a dependency (`npm install git+https://…`): there it builds dist/. `npm pack` builds by `prepack`.
 *
 * JavaScript, because an installation without development tools leaves the Node that is there, which may not run TypeScript.
 */
import { spawnSync } from "node:child_process"
import { realpathSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const root = realpathSync(join(import.meta.dirname, ".."))
/** Where npm was called: in the checkout itself, or in the project that depends on it. */
const calledIn = process.env.INIT_CWD

if (calledIn !== undefined && realpathSync(calledIn) !== root) {
  // What npm packs here is thrown away afterwards, so nothing has to be restored.
  for (const step of [["build.ts"], ["packed.ts", "write"]]) {
    const [script, ...args] = step
    const { status } = spawnSync(process.execPath, [join(root, "scripts", script), ...args], {
      cwd: root,
      stdio: "inherit"
    })
    if (status !== 0) process.exit(status ?? 1)
  }
}
