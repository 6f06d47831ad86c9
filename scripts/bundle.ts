/**
 * `npm run bundle`: the program `troupe`, the demo agent and the warden as few files, in dist/src/program.
 *
 * They start in a quarter of the time that their modules take one by one (docs/decisions/0020). With `--if-stale` only
 * where the sources changed since. The library is not bundled: an app shares `effect` and `xstate` with it.
 */
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { productOf, root } from "./product.ts"

/** As deep in dist as every other file that looks for the page beside dist/src. */
const program = productOf(
  join(root, "dist", "src", "program"),
  ["{src,machines}/**/*.ts", "scripts/{bundle,product}.ts", "package.json", "package-lock.json"],
  ["src/inspect/page/**"]
)

// Late: most starts need none of it.
const { build } = await import("vite")
await build({
  root,
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: "warn",
  // Packages that few commands load stay what they are: dependencies of the package.
  ssr: { noExternal: true, external: ["openai", "@viz-js/viz"] },
  build: {
    ssr: true,
    target: "node22",
    minify: false,
    outDir: program.fresh,
    emptyOutDir: true,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: {
        main: join(root, "src/main.ts"),
        "demo/main": join(root, "src/agent/demo/main.ts"),
        "warden/main": join(root, "src/agent/warden/main.ts")
      },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" }
    }
  }
})
chmodSync(join(program.fresh, "main.js"), 0o755)
program.publish("the program")
