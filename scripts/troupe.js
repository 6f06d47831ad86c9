/**
 * `npm start` and `npm run troupe` of a checkout: the program from its sources, with the dashboard's page brought up to date where
 * it is served. Without development tools (`npm ci --omit=dev`) it is the program that was built before.
 *
 * JavaScript, because the Node that is there then may not run TypeScript.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { pathToFileURL } from "node:url"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `troupe: needs Node 22.19 or newer, and this is ${process.versions.node}. \`npm start\` and \`npm run troupe\` bring their own.\n`
  )
  process.exit(1)
}

const root = join(import.meta.dirname, "..")
const built = join(root, "dist", "src", "program", "main.js")
const hasTools = existsSync(join(root, "node_modules", "vite"))

const run = async (program) => {
  process.argv[1] = program
  await import(pathToFileURL(program).href)
}

if (!hasTools && existsSync(built)) await run(built)
else if (!hasTools) {
  process.stderr.write(
    "This checkout has no development tools, and no program was built. Run `npm ci`, or `npm ci && npm run build && npm ci --omit=dev`.\n"
  )
  process.exitCode = 1
} else {
  const isServed = process.argv[2] === "serve"
  const page = [join(root, "scripts", "page.ts"), "--if-stale"]
  const status = isServed ? spawnSync(process.execPath, page, { cwd: root, stdio: "inherit" }).status : 0
  if (status === 0) await run(join(root, "src", "main.ts"))
  else process.exitCode = 1
}
