/**
 * `npm run bundle`: the program `troupe`, the demo agent and the warden as few files, in dist/src/program.
 *
 * They start in a quarter of the time that their modules take one by one (docs/decisions/0020). With `--if-stale` only
 * where the sources changed since. The library is not bundled: an app shares `effect` and `xstate` with it.
 */
import { join } from "node:path"
import { productOf, root } from "./product.ts"

/** As deep in dist as every other file that looks for the page beside dist/src. */
const program = productOf(
  join(root, "dist", "src", "program"),
  ["{src,machines}/**/*.{ts,json}", "scripts/{buildProgram,bundle,product}.ts", "package.json", "package-lock.json"],
  ["src/inspect/page/**"]
)

// Late: most starts need none of it.
const { buildProgram } = await import("./buildProgram.ts")
await buildProgram(program.fresh)
program.publish("the program")
