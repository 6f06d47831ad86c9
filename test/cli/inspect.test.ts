/** How the server's greeting leads to the dashboard: with a secret link on a terminal, and without one in a log. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { untilTrue } from "../supervision/hostileAgent.ts"
import { hasTerminals, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const login = async (url: string, body: object) =>
  fetch(`${url}/inspect/api/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

describe("troupe serve", () => {
  it.skipIf(!hasTerminals)("prints a link on a terminal that logs the admin in once", async () => {
    const program = workspace.start(["serve", "--port", "0"], {}, "terminal")
    const [, url = "", code = ""] = await program.printed(/inspect +(http:\/\/[^/]+)\/inspect\/#code=([\w-]{43})\b/)
    const first = await login(url, { code })
    assert.strictEqual(first.status, 200)
    assert.deepInclude(await first.json(), { ok: true, admin: true })
    assert.strictEqual((await login(url, { code })).status, 401)
  })

  it("prints the dashboard's address without a secret where there is no terminal, and the admin token's file", async () => {
    const program = workspace.start(["serve", "--port", "0"])
    const [, url = "", file = ""] = await program.printed(
      /inspect +(http:\/\/[^/]+)\/inspect\/ \(log in with a token; the admin's is in (.+)\)/
    )
    await program.printed(/curl/)
    const token = readFileSync(file, "utf8").trim()
    assert.strictEqual((await login(url, { token })).status, 200)
    const output = program.stdout() + program.stderr()
    assert.notInclude(output, "code=")
    assert.notInclude(output, token)
  })

  it.skipIf(!hasTerminals)(
    "opens the link on a terminal in the browser that is named, without telling it to ps",
    async () => {
      const program = workspace.start(["serve", "--port", "0"])
      await program.printed(/curl/)
      const browser = join(workspace.cwd, "browser")
      const seen = join(workspace.cwd, "seen")
      // The page's own file may be gone by the time that a test looks: a browser reads it at once.
      writeFileSync(browser, `#!/bin/sh\n{ echo "$@"; cat "\${2#file://}"; } >${seen}.new\nmv ${seen}.new ${seen}\n`, {
        mode: 0o755
      })
      const { stdout } = await workspace.start(["inspect"], { BROWSER: `${browser} --new-window %s` }, "terminal").ended
      const [link = ""] = /http\S+#code=[\w-]+/.exec(stdout) ?? []
      await untilTrue("the browser", () => existsSync(seen))
      const [args = "", ...page] = readFileSync(seen, "utf8").split("\n")
      assert.match(args, /^--new-window file:\/\/.*\/inspect\.html$/)
      assert.notInclude(args, "code=")
      assert.include(page.join("\n"), `url=${link}`)
    }
  )

  it("has fresh links by troupe inspect, which log the admin in once, and none for an app", async () => {
    const program = workspace.start(["serve", "--port", "0"])
    const [, url = ""] = await program.printed(/listens on (http:\/\/\S+)[^]*curl/)
    const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
    const links = await Promise.all([workspace.run(["inspect"]), workspace.run(["inspect", "--json"])])
    assert.match(links[0].stderr, /^Logs the admin in once, until .*\.\n$/)
    const { url: second } = JSON.parse(links[1].stdout) as { readonly url: string }
    for (const link of [links[0].stdout.trimEnd(), second]) {
      const [page, code = ""] = link.split("#code=")
      assert.strictEqual(page, `${url}/inspect/`)
      assert.deepInclude(await (await login(url, { code })).json(), { ok: true, admin: true })
      assert.strictEqual((await login(url, { code })).status, 401)
    }
    const ofApp = await workspace.run(["inspect"], { TROUPE_TOKEN: token })
    assert.deepStrictEqual([ofApp.code, ofApp.stdout], [1, ""])
    assert.match(ofApp.stderr, /^troupe: This takes the admin token.*\n$/)
  })

  it("names TROUPE_ADMIN_TOKEN where the operator chose the token", async () => {
    // The file of an earlier start exists, and its token is not the admin token now.
    mkdirSync(join(workspace.cwd, ".troupe"))
    writeFileSync(join(workspace.cwd, ".troupe", "admin-token"), "of-an-earlier-start\n")
    const program = workspace.start(["serve", "--port", "0"], { TROUPE_ADMIN_TOKEN: "chosen-by-the-operator" })
    await program.printed(/the admin's is TROUPE_ADMIN_TOKEN\)/)
    assert.notInclude(program.stdout() + program.stderr(), "chosen-by-the-operator")
  })
})
