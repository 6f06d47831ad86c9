/** Working in a session on the page: links to a moment. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

describe.skipIf(chromium === null)("working in a session", () => {
  let troupe: RunningTroupe
  let app: string
  let id: string
  beforeAll(async () => {
    const workspace = makeWorkspace()
    const fixtures = join(import.meta.dirname, "../fixtures")
    const trace = join(fixtures, "traces/acp/codex-patch-workspace-write.ndjson")
    const command = [process.execPath, join(fixtures, "agents/acp-replay.ts"), trace]
    const agents = {
      patcher: { protocol: "acp", command },
      compacter: {
        protocol: "codex-app-server",
        command: [process.execPath, join(fixtures, "agents/codex.ts")],
        env: { TRACE: join(fixtures, "traces/codex/55-compact.ndjson"), RECEIVED: join(workspace.cwd, "received") }
      }
    }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
    troupe = await startTroupe({}, workspace)
    app = await troupe.mint("desk")
    id = await troupe.create(app, { permissions: "approve_all" })
    await troupe.turn(app, id, "read the failing test\ntool ls")
    await troupe.turn(app, id, "crash 3")
    await troupe.turn(app, id, "mend it\ntool echo mended")
  })
  afterAll(() => troupe?.leave())

  const laptop = { token: adminToken, width: 1366, height: 650 }
  const at = (place: string) => `#/sessions/${id}${place}`

  it("a link leads a stranger to its step and part, and the address follows who travels", async () => {
    const page = await troupe.visit({ ...laptop, at: at("/steps/2?tab=state") })
    await page.getByRole("tab", { name: "State", selected: true }).waitFor()
    const slider = page.getByRole("slider")
    await until(
      () => slider.getAttribute("aria-valuetext"),
      (words) => words?.startsWith("step 2,") === true
    )
    await shoot(page, "work-link")
    await slider.press("ArrowRight")
    await page.waitForURL(`**/${at("/steps/3?tab=state")}`)
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.waitForURL(`**/${at("/steps/3?tab=steps")}`)
    await page.getByRole("button", { name: "Live" }).click()
    await page.waitForURL(`**/${at("?tab=steps")}`)
    // A link that is pressed in the page itself leads there too.
    await page.evaluate(`location.hash = ${JSON.stringify(at("/events/2"))}`)
    await page.locator(".row.spotted").waitFor()
    await page.getByRole("tab", { name: "Transcript", selected: true }).waitFor()
    await page.evaluate(`location.hash = ${JSON.stringify(at("/steps/999"))}`)
    await page.getByText("There is no step 999").waitFor()
    await page.waitForURL(`**/${at("")}`)
  })

  it("a search leads to what was said, to a step, and to a tool, which opens", async () => {
    const page = await troupe.visit({ ...laptop, at: at("") })
    await page.getByRole("tab", { name: "Transcript", selected: true }).waitFor()
    await page.locator(".entry-tool").first().waitFor()
    await page.keyboard.press("/")
    await page.keyboard.type("MENDED")
    await page.locator(".hit", { hasText: "tool, turn 3" }).first().waitFor()
    await shoot(page, "work-search")
    await isSound(page, "search")
    await page.locator(".hit", { hasText: "tool, turn 3" }).first().click()
    await page.locator(".row.spotted .entry-tool[open]").waitFor()
    await page.getByRole("tab", { name: "Search" }).click()
    await page.getByLabel("Search in this session").fill("exits as it was asked")
    await page.locator(".hit", { hasText: "stderr" }).first().click()
    await page.locator(".step.current", { hasText: "its process exits" }).waitFor()
  })

  it("the transcript has the change of a file as lines, and a turn's usage as one entry", async () => {
    const patched = await troupe.create(app, { agent: "patcher", permissions: "approve_all" })
    await troupe.turn(app, patched, "add a file")
    await troupe.turn(app, patched, "write it in capitals")
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await troupe.visit({ ...laptop, colorScheme, at: `#/sessions/${patched}` })
      await page
        .getByText(/usage updates?/)
        .first()
        .waitFor()
      await page.locator(".entry-tool summary").last().click()
      await page.locator(".diff-line.removed", { hasText: "world" }).waitFor()
      const added = page.locator(".diff-line.added", { hasText: "WORLD" })
      assert.strictEqual(await added.locator("b").textContent(), "+")
      await page.getByText("1 added, 1 removed").waitFor()
      await page.getByLabel("Markdown").check()
      await isSound(page, `diff ${colorScheme}`)
      await shoot(page, `work-diff-${colorScheme}`)
    }
  })

  it("what would happen if is told by the page alone: nothing is sent, and the ledger stays as it is", async () => {
    const stored = async () =>
      JSON.stringify(
        await Promise.all(
          ["steps?limit=1000", "events?limit=1000", "turns"].map(
            async (part) => (await troupe.call("GET", `/inspect/api/sessions/${id}/${part}`, adminToken)).json
          )
        )
      )
    const page = await troupe.visit({ ...laptop, at: at("?tab=what-if") })
    await page.getByText("Nothing is sent, and nothing is stored").waitFor()
    const before = await stored()
    const sent: Array<string> = []
    page.on("request", (request) => request.method() !== "GET" && sent.push(request.url()))
    const event = page.getByLabel(/what would happen if/)
    await event.selectOption("approval.asked")
    await page.getByText("It would be refused.").waitFor()
    await event.selectOption("turn.submitted")
    await page.locator(".what-if-told", { hasText: "It goes from idle.awake to turning.running" }).waitFor()
    await page.locator(".what-if-told", { hasText: "hand the prompt to the agent" }).waitFor()
    await page.getByRole("button", { name: "And then?" }).click()
    await event.selectOption("process.exited")
    await page.getByText(/Turn 4 ends as failed, error \(crash/).waitFor()
    await isSound(page, "what if")
    await shoot(page, "work-what-if")
    // A moment before: then no agent had the turn.
    await page.getByRole("slider").press("Home")
    await page.locator(".what-if-form b", { hasText: "idle.asleep" }).waitFor()
    assert.deepStrictEqual(sent, [])
    assert.strictEqual(await stored(), before)
  })

  it("a failed turn is sent again from the page by two presses, and says as which", async () => {
    const failing = await troupe.create(app)
    await troupe.turn(app, failing, "fail model")
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${failing}` })
    await page.getByRole("button", { name: "Send again" }).click()
    await page.getByRole("button", { name: "Really send it again?" }).click()
    await page.getByText("Turn 1 is sent again, as turn 2.").waitFor()
    await page.getByText("sent again as turn 2", { exact: true }).waitFor()
    // The second has failed too, and can be sent again; the first can't.
    await until(
      () => page.getByRole("button", { name: "Send again" }).count(),
      (buttons) => buttons === 1
    )
    await isSound(page, "sent again")
    await shoot(page, "work-again")
  })

  it("words are added to the turn that runs", async () => {
    const steered = await troupe.create(app)
    await troupe.begin(app, steered, "slow 400 50")
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${steered}` })
    const add = page.getByRole("button", { name: "Add to this turn" })
    await add.waitFor()
    await page.getByRole("textbox", { name: "Prompt" }).fill("and mind the tests")
    await add.click()
    await page.locator(".transcript").getByText("and mind the tests").first().waitFor()
    await until(
      () => page.getByRole("textbox", { name: "Prompt" }).inputValue(),
      (text) => text === ""
    )
    await isSound(page, "steered")
    await troupe.call("DELETE", `/sessions/${steered}`, app)
  })

  it("an agent's context is compacted by two presses, as a turn of its own", async () => {
    const full = await troupe.create(app, { agent: "compacter", permissions: "approve_all" })
    for (const prompt of ["first message", "second message"]) await troupe.turn(app, full, prompt)
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${full}` })
    await page.getByRole("button", { name: "Compact" }).click()
    await page.getByRole("button", { name: "A turn, really?" }).click()
    await page.locator(".entry-prompt", { hasText: "(compacts the conversation)" }).waitFor()
    await page.locator(".entry-news", { hasText: "context was compacted" }).waitFor()
    await page.locator(".session-head .badge", { hasText: "awake" }).waitFor()
    await shoot(page, "work-compacted")
    await isSound(page, "compacted")
    await troupe.call("DELETE", `/sessions/${full}`, app)
  })

  it("of an agent that can't be asked to compact, the button says why it does nothing", async () => {
    const page = await troupe.visit({ ...laptop, at: at("") })
    const button = page.getByRole("button", { name: "Compact" })
    assert.strictEqual(await button.getAttribute("aria-disabled"), "true")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.getByText("demo can't be asked to compact its context. It does so by itself, if at all.").waitFor()
    await isSound(page, "can't compact")
    await shoot(page, "work-not-compacted")
    assert.strictEqual((await troupe.call("POST", `/sessions/${id}/compact`, app)).status, 422)
  })

  it("two moments, and two sessions, are compared beside each other", async () => {
    const other = await troupe.create(app, { permissions: "deny" })
    await troupe.turn(app, other, "crash 3")
    const page = await troupe.visit({ ...laptop, at: at("/steps/3?tab=compare") })
    const slider = page.getByRole("slider")
    await until(
      () => slider.getAttribute("aria-valuetext"),
      (words) => words?.startsWith("step 3,") === true
    )
    await page.getByRole("button", { name: "Keep this moment" }).click()
    for (let step = 3; step < 6; step++) await slider.press("ArrowRight")
    await page.locator("tr.differs", { hasText: "crashed" }).waitFor()
    await page.locator("tr.differs", { hasText: "retiring.killing" }).waitFor()
    await page.getByLabel("The other session").fill(other)
    await page.getByRole("button", { name: "Compare", exact: true }).click()
    await page.locator("tr.differs", { hasText: "approve_all" }).waitFor()
    await page.getByText(/steps are the same. Then:/).waitFor()
    await isSound(page, "compare")
    await shoot(page, "work-compare")
    await page.locator(`a[href^="#/sessions/${other}/steps/"]`).click()
    await page.locator("h1", { hasText: other }).waitFor()
  })

  it("the outline tells the turns apart, and leads to them and to what failed", async () => {
    const page = await troupe.visit({ ...laptop, at: at("?tab=turns") })
    const row = (n: number) => page.locator(".turn-line").nth(n)
    await row(1).getByText("failed: crash").waitFor()
    await row(0).getByText("read the failing test tool ls").waitFor()
    await row(0).getByText("1 × execute").waitFor()
    await page.keyboard.press("F")
    await page.locator(".turns-here", { hasText: "turn 2 failed: crash" }).waitFor()
    assert.strictEqual(await page.getByRole("button", { name: "Next failure" }).isDisabled(), true)
    await isSound(page, "turns")
    await shoot(page, "work-turns")
    await row(2).click()
    await page.locator(".row.spotted .entry-prompt", { hasText: "mend it" }).waitFor()
    await page.getByText("turn 3", { exact: true }).first().waitFor()
  })
})
