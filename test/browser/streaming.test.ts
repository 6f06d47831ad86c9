/** A session whose agent says 50 pieces a second, on the page: what is read stays, the end is followed, and little is laid out. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import type { Page } from "playwright-core"
import type { Events } from "../../src/inspect/sessionContract.ts"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

interface Chunk {
  readonly params?: {
    readonly update?: { readonly sessionUpdate?: string; readonly content?: { readonly text?: string } }
  }
}

describe.skipIf(chromium === null)("a session that says much", () => {
  let troupe: RunningTroupe
  let app: string
  let id: string
  let page: Page
  beforeAll(async () => {
    const workspace = makeWorkspace()
    const agents = {
      talker: { protocol: "acp", command: [process.execPath, join(import.meta.dirname, "cost/agent.ts")] }
    }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
    troupe = await startTroupe({}, workspace)
    app = await troupe.mint("desk")
    id = await troupe.create(app, { agent: "talker" })
    await troupe.begin(app, id, "tell me all")
    page = await troupe.visit({ token: adminToken, width: 1366, height: 650, at: `#/sessions/${id}` })
    await until(said, (text) => text.length > 4_000)
  })
  afterAll(() => troupe?.leave())

  const message = ".entry-message .entry-text"
  const said = () => page.evaluate<string>(`document.querySelector(${JSON.stringify(message)})?.textContent ?? ""`)
  const scroller = () =>
    page.evaluate<{ readonly top: number; readonly below: number }>(`(() => {
      const { clientHeight, scrollHeight, scrollTop } = document.querySelector(".transcript")
      return { top: scrollTop, below: scrollHeight - clientHeight - scrollTop }
    })()`)

  it("is followed to its end, and laid out once with each picture", async () => {
    const devtools = await page.context().newCDPSession(page)
    await devtools.send("Performance.enable")
    const layouts = async () =>
      (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "LayoutCount")?.value ?? 0
    const [before, length, began] = [await layouts(), (await said()).length, performance.now()]
    await delay(4_000)
    const each = (await layouts()) - before
    const seconds = (performance.now() - began) / 1_000
    assert.isAbove((await said()).length - length, 1_000)
    // Ten pictures a second, and what ticks with the clock.
    assert.isBelow(each / seconds, 15)
    for (let n = 0; n < 20; n++) {
      assert.isAtMost((await scroller()).below, 1)
      await delay(37)
    }
    await shoot(page, "streaming")
  })

  it("is read, chosen and copied while it goes on", async () => {
    const choose = `(() => {
      const words = document.querySelector(${JSON.stringify(message)})
      const range = document.createRange()
      range.setStart(words.children[0].firstChild, 4)
      range.setEnd(words.children[2].firstChild, 30)
      getSelection().removeAllRanges()
      getSelection().addRange(range)
    })()`
    await page.evaluate(choose)
    const chosen = () => page.evaluate<string>("getSelection().toString()")
    const first = await chosen()
    const text = await said()
    assert.isAbove(first.length, 800)
    assert.include(text, first, "as it was said, with all of its lines")
    await page.evaluate("document.querySelector('.transcript').scrollTop = 200")
    const { top } = await scroller()
    await until(said, (now) => now.length > text.length + 1_500)
    assert.strictEqual(await chosen(), first)
    assert.strictEqual((await scroller()).top, top)
    assert.isTrue((await said()).startsWith(text))
  })

  it("has the room that it needs when it has ended", async () => {
    await page.evaluate("document.querySelector('.transcript').scrollTop = 1e9")
    await troupe.call("POST", `/sessions/${id}/interrupt`, app)
    await page.locator(".row.last", { hasText: "idle.awake" }).waitFor()
    await until(
      () =>
        page.evaluate<number>(`(() => {
          const room = document.querySelector(".transcript .rows").getBoundingClientRect()
          return room.bottom - document.querySelector(".transcript .row.last").getBoundingClientRect().bottom
        })()`),
      (left) => Math.abs(left) < 1
    )
    assert.isAtMost((await scroller()).below, 1)
    const spoken = async () => {
      const { json } = await troupe.call("GET", `/inspect/api/sessions/${id}/events?limit=1000`, adminToken)
      const chunks = (json as Events).events.map(({ message: stored }) => (stored as Chunk).params?.update)
      const texts = chunks.filter((update) => update?.sessionUpdate === "agent_message_chunk")
      return texts.map((update) => update?.content?.text).join("")
    }
    // What the agent says behind the end of its turn comes a moment later, as a message of its own.
    const shown = () =>
      page.evaluate<string>(
        `[...document.querySelectorAll(${JSON.stringify(message)})].map((e) => e.textContent).join("")`
      )
    await until(
      async () => [await shown(), await spoken()],
      ([shown, spoken]) => shown === spoken
    )
  })
})
