/** The ways in which a checkout is installed: without development tools, and as a dependency by git. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { Project, root, run, succeed } from "./Project.ts"

const notCommitted = new Set(["node_modules", "dist", ".git", ".troupe", ".packing", "artifacts", "coverage"])

describe("a checkout", () => {
  const checkout = mkdtempSync(join(tmpdir(), "troupe-checkout-"))

  beforeAll(() => {
    cpSync(root, checkout, { recursive: true, filter: (path) => !notCommitted.has(basename(path)) })
    const author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for (const git of [
      ["init", "-q"],
      ["add", "-A"],
      [...author, "commit", "-qm", "all"]
    ])
      succeed(checkout, "git", git)
  })
  afterAll(() => rmSync(checkout, { recursive: true, force: true }))

  it.each([
    ["npm ci --omit=dev", ["--omit=dev"], {}],
    ["NODE_ENV=production npm ci", [], { NODE_ENV: "production" }]
  ] as const)("installs by %s, and runs the program that was built", (_, args, env) => {
    rmSync(join(checkout, "dist"), { recursive: true, force: true })
    succeed(checkout, "npm", ["ci", ...args], env)
    assert.isFalse(existsSync(join(checkout, "node_modules", "vite")))
    const before = run(checkout, "npm", ["run", "--silent", "troupe", "--", "--version"])
    assert.match(before.stderr, /no development tools, and no program was built\. Run `npm ci`/)
    cpSync(join(root, "dist"), join(checkout, "dist"), { recursive: true })
    assert.match(succeed(checkout, "npm", ["run", "--silent", "troupe", "--", "--version"]), /troupe v\d/)
  })

  it("is a dependency by git, which npm builds", { timeout: 600_000 }, () => {
    const project = new Project()
    try {
      project.install(`git+file://${checkout}`)
      assert.isTrue(existsSync(project.file("node_modules/troupe/dist/page/index.html")))
      assert.match(project.succeed("npx", "troupe", "--version"), /troupe v\d/)
      project.write("use.js", `import { openTroupe } from "troupe/promise"\nconsole.log(typeof openTroupe)\n`)
      assert.strictEqual(project.succeed("node", "use.js").trim(), "function")
    } finally {
      project.remove()
    }
  })
})
