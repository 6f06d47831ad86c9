/**
 * `npm run build`: the sources as JavaScript and declarations in dist/, file by file as they are here, the program and
 * the page.
 *
 * Nothing of the library is bundled but one module: acpx's table of agents, which everybody needs who asks for an agent by
 * name, travels in dist/vendor, and imports of it lead there. acpx itself is installed by those who use it (docs/decisions/0039).
 */
import { spawnSync } from "node:child_process"
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"
import { programTexts } from "./buildProgram.ts"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")
const dist = join(root, "dist")
const vendored = "acpx/agent-registry"
const vendor = join(dist, "vendor", "acpx")

rmSync(dist, { recursive: true, force: true })

const { status } = spawnSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
if (status !== 0) process.exit(1)

const acpx = join(root, "node_modules", "acpx")
for (const file of globSync("dist/agent-registry*.{js,d.ts}", { cwd: acpx })) {
  const content = readFileSync(join(acpx, file), "utf8")
  const [, needed] = /\bfrom "(?!node:|\.\/agent-registry)([^"]+)"/.exec(content) ?? []
  if (needed !== undefined) {
    console.error(`${vendored} needs ${needed} now, so it can't be carried by itself: look at docs/decisions/0039.`)
    process.exit(1)
  }
  cpSync(join(acpx, file), join(vendor, file.slice("dist/".length)))
}
cpSync(join(acpx, "LICENSE"), join(vendor, "LICENSE"))

for (const file of globSync("{src,machines}/**/*.{js,d.ts}", { cwd: dist })) {
  const path = join(dist, file)
  const content = readFileSync(path, "utf8")
  if (!content.includes(`"${vendored}"`)) continue
  const target = relative(dirname(path), join(vendor, "agent-registry.js"))
  writeFileSync(path, content.replaceAll(`"${vendored}"`, `"${target}"`))
}

const carried = join(dist, "src", "agent", "carriedPrograms.js")
writeFileSync(carried, `export const carriedPrograms = ${JSON.stringify(await programTexts(), null, 2)};\n`)

// What the library reads of it, and nothing that a bundler or a person could take for the package's own manifest.
const { name, peerDependencies, peerDependenciesMeta, type, version } = manifest
const read = { name, version, type, peerDependencies, peerDependenciesMeta }
writeFileSync(join(dist, "package.json"), `${JSON.stringify(read, null, 2)}\n`)

for (const script of ["bundle.ts", "page.ts"]) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts", script)], { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(1)
}

console.log(`dist/ has ${globSync("{src,machines,vendor}/**/*.js", { cwd: dist }).length} modules`)
