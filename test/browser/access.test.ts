/** An app's token gives access to the app's own sessions, on the page and at each address behind it, and to nothing else. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { SlimStep } from "../../src/inspect/contract.ts"
import { chromium } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("an app's login", () => {
  let troupe: RunningTroupe
  beforeAll(async () => {
    troupe = await startTroupe()
  })
  afterAll(() => troupe?.leave())

  it("shows its own sessions only, whatever its page requests", async () => {
    const [ours, theirs] = [await troupe.mint("ours"), await troupe.mint("theirs")]
    const mine = await troupe.create(ours)
    const foreign = await troupe.create(theirs, { permissions: "ask" })
    await troupe.turn(ours, mine, "hello")
    await troupe.begin(theirs, foreign, "ask-tool echo of-theirs")
    const approvals = `/sessions/${foreign}/approvals`
    const inbox = await until(
      async () => (await troupe.call("GET", approvals, theirs)).json,
      ({ count }) => count === 1
    )

    const page = await troupe.visit({ token: ours })
    await page.locator(`[data-session="${mine}"]`).waitFor()
    assert.strictEqual(await page.locator(".grid-row").count(), 1)
    assert.deepStrictEqual(await page.locator(".count:not(.is-substate) b").allTextContents(), [
      "1",
      "1",
      "0",
      "0",
      "0"
    ])
    assert.strictEqual(await page.getByLabel("Filter by app").count(), 0)
    await page.getByRole("link", { name: "Approvals" }).click()
    await page.getByText("Nobody waits for an answer").waitFor()

    // With the page's own cookie, as a script on the page would send it.
    const ask = (method: string, path: string) =>
      page.evaluate<{ readonly status: number; readonly text: string }>(
        `fetch(${JSON.stringify(`/inspect/api/${path}`)}, { method: ${JSON.stringify(method)}, headers: { "x-troupe-inspect": "1", "content-type": "application/json" }${method === "POST" ? `, body: '${path.includes("/approvals/") ? '{"decision":"once"}' : "{}"}'` : ""} })
          .then(async (response) => ({ status: response.status, text: await response.text() }))`
      )
    for (const path of ["sessions", `sessions?q=${foreign}`, "sessions?app=theirs", "approvals", "coverage", "me"]) {
      const { status, text } = await ask("GET", path)
      assert.strictEqual(status, 200, path)
      assert.notInclude(text, foreign)
      assert.notInclude(text, "theirs")
    }
    const never = "ses_there-never-was-such-a-one"
    const bodyOf = (text: string, id: string) => {
      const { request_id: _, ...rest } = JSON.parse(text.replaceAll(id, "ID"))
      return rest
    }
    for (const [method, rest] of [
      ["GET", ""],
      ["GET", "/steps"],
      ["GET", "/steps/1/wire"],
      ["GET", "/events"],
      ["GET", "/stream"],
      ["GET", "/processes"],
      ["GET", "/export?format=json"],
      ["GET", "/export?format=html&texts=1"],
      ["GET", "/export?format=svg"],
      ["POST", "/interrupt"],
      ["POST", "/close"],
      ["POST", "/unpark"],
      ["POST", `/approvals/${inbox.approvals[0].approval_id}`]
    ] as const) {
      const refused = await ask(method, `sessions/${foreign}${rest}`)
      assert.isTrue(refused.status === 404 || refused.status === 403, `${method} ${rest}: ${refused.status}`)
      // The answer is the same as for a session that never existed.
      const unknown = await ask(method, `sessions/${never}${rest}`)
      assert.strictEqual(refused.status, unknown.status, rest)
      assert.deepStrictEqual(bodyOf(refused.text, foreign), bodyOf(unknown.text, never), rest)
    }
    assert.strictEqual((await troupe.call("GET", approvals, theirs)).json.count, 1)
    assert.strictEqual((await troupe.call("GET", `/sessions/${foreign}`, theirs)).json.state, "turning")

    // The stream has nothing of another app's sessions.
    await page.evaluate(
      `(async () => {
      window.heard = []
      const response = await fetch("/inspect/api/steps")
      const decoder = new TextDecoder()
      for await (const bytes of response.body) window.heard.push(decoder.decode(bytes))
    })()`.replace("(async", "void (async")
    )
    await until(
      () => page.evaluate<number>("window.heard.length"),
      (length) => length > 0
    )
    await troupe.call("DELETE", `/sessions/${foreign}`, theirs)
    await troupe.call("DELETE", `/sessions/${mine}`, ours)
    const stream = await until(
      () => page.evaluate<string>("window.heard.join('')"),
      (text) => text.includes('"to":"closed"')
    )
    const steps = [...stream.matchAll(/^data: (\{"n":\d+,"seq".*)$/gm)].map(
      ([, data = ""]) => JSON.parse(data) as SlimStep
    )
    assert.isAbove(steps.length, 0)
    for (const { row } of steps) assert.strictEqual(row.session_id, mine)

    await page.goto(`${troupe.url}/inspect/#/sessions/${foreign}`)
    await page.getByRole("alert").waitFor()
    assert.include(await page.getByRole("alert").textContent(), "session_not_found")
  })

  it("ends when the app is revoked, while its page is open", async () => {
    const token = await troupe.mint("fired")
    const page = await troupe.visit({ token })
    await page.getByRole("heading", { name: "No sessions yet" }).waitFor()
    await troupe.call("DELETE", "/admin/apps/fired", adminToken)
    await page.reload()
    await page.getByLabel("Token").waitFor()
  })
})
