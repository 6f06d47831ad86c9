/** The tarball as the registry and a project's tools see it, and an app that installs nothing else. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { globSync, lstatSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { inject } from "vitest"
import { nodeTooOld } from "../../src/nodeVersion.ts"
import { Project, root, run, strangersPath } from "./Project.ts"

const tool = (name: string) => join(import.meta.dirname, "tools", "node_modules", ".bin", name)

/** More is no use to an app that embeds Troupe. */
const mostPackages = 25
const mostBytes = 80 * 1024 * 1024

describe("the packed tarball", () => {
  const project = new Project()
  const installed = project.file("node_modules/troupe")
  const manifest = () =>
    JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Readonly<Record<string, unknown>>

  beforeAll(() => project.install(inject("tarball")))
  afterAll(() => project.remove())

  it("is what publint and the types' checker want", () => {
    const linted = run(root, tool("publint"), ["run", inject("tarball"), "--strict"])
    assert.strictEqual(linted.status, 0, linted.stdout + linted.stderr)
    // As ES modules only: CommonJS loads them by `require` since Node 22.12, or by `import()`.
    const types = run(root, tool("attw"), [inject("tarball"), "--profile", "esm-only"])
    assert.strictEqual(types.status, 0, types.stdout + types.stderr)
  })

  it("has no script, and says what it is", () => {
    assert.doesNotHaveAnyKeys(manifest(), ["scripts", "devDependencies", "allowScripts"])
    assert.containsAllKeys(manifest(), ["description", "keywords", "author", "license", "engines", "sideEffects"])
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly scripts?: unknown }
    assert.isDefined(scripts, "the checkout has its own manifest again")
  })

  it("has a README whose links lead to what is published", () => {
    const readme = readFileSync(join(installed, "README.md"), "utf8")
    const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)
    const files = `https://cdn.jsdelivr.net/npm/troupe@${String(manifest()["version"])}/`
    assert.isAbove(targets.length, 5)
    for (const target of targets) {
      assert.match(target, /^https:\/\//)
      if (target.startsWith(files)) assert.isTrue(lstatSync(join(installed, target.slice(files.length))).isFile())
    }
    assert.isTrue(targets.some((target) => target.endsWith(".png")))
  })

  it("brings an app little beside effect and xstate", () => {
    const others = Object.keys(
      (JSON.parse(readFileSync(project.file("node_modules/.package-lock.json"), "utf8")) as { packages: object })
        .packages
    ).filter((path) => !/^node_modules\/(effect|xstate)$/.test(path))
    assert.isAtMost(others.length, mostPackages, others.join(", "))
    const size = (path: string) =>
      globSync("**/*", { cwd: project.file(path), withFileTypes: true })
        .filter((entry) => entry.isFile())
        .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0)
    const bytes = size("node_modules") - size("node_modules/effect") - size("node_modules/xstate")
    assert.isAtMost(bytes, mostBytes)
    console.log(`${others.length} packages, ${Math.round(bytes / 1024 / 1024)} MB beside effect and xstate`)
  })

  it("does without what is optional, and says how to install it where it is used", () => {
    project.write(
      "optional.js",
      `import { openTroupe } from "troupe/promise"
await using troupe = await openTroupe({
  dataDir: ":memory:",
  agents: { gemini: { protocol: "acp", registry: "gemini" }, behind: { protocol: "acpx", registry: "gemini" } }
})
const agents = await troupe.agents()
console.log(agents.find(({ name }) => name === "demo").available, agents.some(({ name }) => name === "gemini"))
const session = await troupe.createSession({ agent: "behind", permissions: "approve_all" }).catch((error) => error)
const outcome = session instanceof Error ? session : await session.turn("hello").catch((error) => error)
console.log(outcome.message ?? JSON.stringify(outcome))
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
const request = new Request("http://localhost/mcp", { method: "POST", headers: { "content-type": "application/json" }, body })
console.log(await (await troupe.handler({ app: "host" })(request)).text())
`
    )
    const said = project.succeed("node", "optional.js")
    assert.match(said, /^true true$/m)
    const missing = /needs the package acpx, which is not there\. Install it beside Troupe: npm install acpx@0\.\d+/
    assert.match(said, missing, said)
    assert.match(
      said,
      /An MCP server needs the package @modelcontextprotocol\/server, which is not there\. .* npm install @modelcontextprotocol\/server@2/
    )
    assert.match(project.succeed("npx", "troupe", "machines", "session", "--format", "svg"), /<\/svg>/)
  })

  it.each(["esm", "cjs"])("works in a full bundle by esbuild, as %s", (format) => {
    project.write(
      "app.js",
      `import { openTroupe } from "troupe/promise"
const main = async () => {
  const troupe = await openTroupe({ dataDir: ":memory:", log: (line) => console.log(line) })
  try {
    console.log((await troupe.agents()).some(({ name }) => name === "demo"))
    const session = await troupe.createSession({ agent: "demo" })
    console.log((await session.turn("hello")).finalText)
  } finally {
    await troupe.close()
  }
}
void main()
`
    )
    const elsewhere = new Project()
    try {
      const file = elsewhere.file(format === "esm" ? "app.mjs" : "app.cjs")
      const bundled = project.run(
        tool("esbuild"),
        "app.js",
        "--bundle",
        "--platform=node",
        "--target=node22",
        `--format=${format}`,
        `--outfile=${file}`
      )
      assert.strictEqual(bundled.status, 0, bundled.stderr)
      const said = elsewhere.succeed("node", file)
      assert.match(said, /^true$/m)
      assert.match(said, /^You said: hello \(turn 1\)$/m)
      assert.notMatch(said, /"level":"(WARN|ERROR)"/i)
    } finally {
      elsewhere.remove()
    }
  })

  it("says in one line which Node the library needs, to one that is too old", (context) => {
    const old = strangersPath
      .map((directory) => join(directory, "node"))
      .find(
        (node) => globSync(node).length > 0 && nodeTooOld(project.succeed(node, "-p", "process.versions.node").trim())
      )
    if (old === undefined) return context.skip("no old Node on this machine")
    for (const entry of ["troupe", "troupe/promise"]) {
      project.write("old.mjs", `await import("${entry}").catch((error) => console.log(String(error.stack)))`)
      assert.match(
        project.succeed(old, "old.mjs"),
        /^Error: troupe needs Node 22\.19 or newer, and this is [\d.]+\.\n$/,
        entry
      )
    }
  })
})
