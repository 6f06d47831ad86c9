/**
 * `npm run bundle`: the program `troupe`, the demo agent and the warden as few files, in dist/src/program.
 *
 * They start in a quarter of the time that their modules take one by one (docs/decisions/0020). With `--if-stale` only
 * where the sources changed since. The library is not bundled: an app shares `effect` and `xstate` with it.
 */
import { createHash } from "node:crypto"
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
/** As deep in dist as every other file that looks for the page beside dist/src. */
const target = join(root, "dist", "src", "program")

/** Names the sources that it was built from. */
const stamp = "sources.sha256"

const sources = createHash("sha256")
const files = globSync(["{src,machines}/**/*.ts", "scripts/bundle.ts", "package.json", "package-lock.json"], {
  cwd: root,
  exclude: ["src/inspect/page/**"]
})
for (const file of files.toSorted()) sources.update(`${file}\n`).update(readFileSync(join(root, file)))
const wanted = sources.digest("hex")

const isBuilt = () => existsSync(join(target, stamp)) && readFileSync(join(target, stamp), "utf8") === wanted
if (process.argv.includes("--if-stale") && isBuilt()) process.exit(0)

const started = performance.now()
// Late: most starts need none of it.
const { build } = await import("vite")
// Beside its place and moved there when it is whole: a program may be running from the old one.
const fresh = join(root, "dist", `program.${process.pid}`)
process.on("exit", () => rmSync(fresh, { recursive: true, force: true }))

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
    outDir: fresh,
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
chmodSync(join(fresh, "main.js"), 0o755)
writeFileSync(join(fresh, stamp), wanted)

mkdirSync(dirname(target), { recursive: true })
const old = `${fresh}.old`
if (existsSync(target)) renameSync(target, old)
renameSync(fresh, target)
rmSync(old, { recursive: true, force: true })
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(`${relative(root, target)}: the program (${seconds} s)`)
