/**
 * `npm run build`: the sources as JavaScript and declarations in dist/, file by file as they are here, the program and
 * the page.
 *
 * Nothing of the library is bundled but one package: `@effect/sql-sqlite-node` is patched here (docs/decisions/0003), and
 * an app that installs Troupe would get the unpatched one. So its files travel in dist/vendor, and imports of it lead there.
 */
import { spawnSync } from "node:child_process"
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const dist = join(root, "dist")
const vendored = "@effect/sql-sqlite-node"
const vendor = join(dist, "vendor", "sql-sqlite-node")

rmSync(dist, { recursive: true, force: true })

const { status } = spawnSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
if (status !== 0) process.exit(1)

const source = join(root, "node_modules", vendored)
for (const file of globSync("dist/*.{js,d.ts}", { cwd: source })) {
  const content = readFileSync(join(source, file), "utf8")
  if (content.includes("effect/unstable/")) {
    console.error(`${vendored} is not patched. Run npm ci, and look whether patches/ still fits its version.`)
    process.exit(1)
  }
  cpSync(join(source, file), join(vendor, file.slice("dist/".length)))
}
cpSync(join(source, "LICENSE"), join(vendor, "LICENSE"))

for (const file of globSync("{src,machines}/**/*.{js,d.ts}", { cwd: dist })) {
  const path = join(dist, file)
  const content = readFileSync(path, "utf8")
  if (!content.includes(`"${vendored}"`)) continue
  const target = relative(dirname(path), join(vendor, "index.js"))
  writeFileSync(path, content.replaceAll(`"${vendored}"`, `"${target}"`))
}

for (const script of ["bundle.ts", "page.ts"]) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts", script)], { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(1)
}

console.log(`dist/ has ${globSync("{src,machines,vendor}/**/*.js", { cwd: dist }).length} modules`)
