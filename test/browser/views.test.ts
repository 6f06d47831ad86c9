/** The main views in both color schemes, wide and narrow: accessible, and with screenshots for people to look at. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe, until } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

/** The demo agent under the names that a team gives to its agents. */
const agents = (() => {
  const demo = {
    protocol: "acp",
    command: [process.execPath, join(import.meta.dirname, "../../src/agent/demo/main.ts")]
  }
  return { coder: demo, reviewer: demo, triage: demo }
})()

describe.skipIf(chromium === null)("the views", () => {
  let troupe: RunningTroupe
  let asking: string
  beforeAll(async () => {
    const workspace = makeWorkspace()
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ defaultAgent: "coder", agents }))
    troupe = await startTroupe({ TROUPE_MAX_PROCESSES: "16" }, workspace)
    asking = await createSessions(troupe)
  })
  afterAll(() => troupe?.leave())

  const views = () =>
    [
      ["attention", "#/", ".attention-row"],
      ["sessions", "#/sessions", ".grid-row"],
      ["approvals", "#/approvals", ".approval"],
      ["fleet", "#/fleet", ".fleet-bar"],
      ["machine", "#/machine", "svg .state"],
      ["new", "#/new", ".start-form"],
      ["session", `#/sessions/${asking}`, ".session-head .badge"]
    ] as const

  for (const colorScheme of ["light", "dark"] as const) {
    it(`have no serious fault that axe finds, in ${colorScheme}, and none is wider than its window`, async () => {
      const { closed } = await retiring(troupe)
      for (const [width, height] of [
        [1280, 800],
        [390, 844]
      ] as const) {
        const page = await troupe.visit({ colorScheme, width, height })
        await page.getByLabel("Token").waitFor()
        await isSound(page, `login ${colorScheme} ${width}`)
        await page.getByLabel("Token").fill(adminToken)
        await page.keyboard.press("Enter")
        for (const [name, hash, selector] of views()) {
          await page.goto(`${troupe.url}/inspect/${hash}`)
          await page
            .locator(selector)
            .first()
            .waitFor({ state: width < 720 ? "attached" : "visible" })
          if (name === "session") {
            await page.getByRole("tab", { name: "Approvals" }).click()
            await page.locator(".session .approval").waitFor()
          }
          if (name === "sessions") await page.getByLabel("2 waiting").waitFor()
          if (name === "sessions" && width > 720) await page.locator(".badge", { hasText: "retiring" }).waitFor()
          await shoot(page, `view-${name}-${colorScheme}-${width}`)
          await isSound(page, `${name} ${colorScheme} ${width}`)
          if (name === "session")
            for (const tab of [
              "Transcript",
              "Turns",
              "Search",
              "Steps",
              "State",
              "Process",
              "Restarts",
              "Time & tokens",
              "What if",
              "Compare"
            ]) {
              await page.getByRole("tab", { name: tab }).click()
              await isSound(page, `${tab} ${colorScheme} ${width}`)
            }
        }
        await page.context().close()
      }
      await closed
    })
  }

  it("have in the list what a session waits for in two lines, as a title, and as a whole where one comes by keyboard", async () => {
    const desk = await troupe.mint("desk-again")
    const long = `echo ${"mend the build and its tests ".repeat(6).trim()}`
    const id = await troupe.create(desk, { agent: "coder", permissions: "ask" })
    await troupe.begin(desk, id, `ask-tool ${long}`)
    const page = await troupe.visit({ token: adminToken, width: 1366, height: 650, at: "#/sessions" })
    const row = page.locator(`.grid-row[data-session="${id}"]`)
    const reason = row.locator(".reason", { hasText: "an answer to: echo mend" })
    await reason.waitFor()
    const height = async () => (await reason.boundingBox())?.height ?? 0
    assert.strictEqual(await height(), 32)
    assert.include((await reason.getAttribute("title")) ?? "", long.slice(0, 60))
    for (const other of await page.locator(".reason").all())
      assert.isAtMost((await other.boundingBox())?.height ?? 0, 32)
    await shoot(page, "list-reasons")
    // By a key: then the browser shows the focus.
    await page.locator(".grid-row").first().press("Home")
    for (let n = 0; n < 20 && (await row.and(page.locator(":focus")).count()) === 0; n++) await page.keyboard.press("j")
    assert.isAbove(await height(), 40)
    await shoot(page, "list-reason-whole")
    await isSound(page, "a reason as a whole")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await page.keyboard.press("Tab")
    assert.strictEqual(await height(), 32)
    await page.context().close()
    await troupe.call("DELETE", `/sessions/${id}`, desk)
  })
})

let attempts = 1

/** A session that is retiring for some seconds: its agent is stopped (SIGSTOP) and must be killed. */
const retiring = async (troupe: RunningTroupe): Promise<{ readonly closed: Promise<unknown> }> => {
  const { json } = await troupe.call("POST", "/admin/apps", adminToken, { name: `old-${attempts++}` })
  const id = await troupe.create(json.token, { agent: "triage" })
  await troupe.turn(json.token, id, "that was all\nslow 70 0")
  const { process: running } = (await troupe.call("GET", `/sessions/${id}`, json.token)).json
  process.kill(running.pid, "SIGSTOP")
  return { closed: troupe.call("DELETE", `/sessions/${id}`, json.token) }
}

/** Makes sessions of three apps in every state; gives the one that waits for an approval. */
const createSessions = async (troupe: RunningTroupe): Promise<string> => {
  const [desk, shop, mail] = [await troupe.mint("desk"), await troupe.mint("shop"), await troupe.mint("mail")]
  const made = async (token: string, agent: string, ...prompts: ReadonlyArray<string>) => {
    /* oxlint-disable-next-line unicorn/no-thenable -- a rule says what is then, as on the wire */
    const rules = ["ls", "echo", "sleep"].map((program) => ({ match: { command: [program, "*"] }, then: "approve" }))
    const id = await troupe.create(token, { agent, permissions: { default: "ask", rules } })
    for (const prompt of prompts) await troupe.turn(token, id, prompt)
    return id
  }
  const state = async (id: string) => (await troupe.call("GET", `/inspect/api/sessions/${id}`, adminToken)).json
  const reaches = (id: string, substate: string) =>
    until(
      () => state(id),
      ({ session }) => session.substate === substate
    )

  const waits = made(desk, "triage")
  const parked = made(shop, "reviewer", "crash 1", "crash 1", "crash 1", "crash 1")
  const [over, healed] = await Promise.all([
    made(mail, "triage", "sort the morning's mail\nslow 400 0", "and the evening's\nslow 200 0"),
    made(desk, "reviewer", "look at the last change\nslow 300 0", "crash 1", "go on\nslow 120 0"),
    waits,
    parked
  ])
  await troupe.call("DELETE", `/sessions/${over}`, mail)
  const works = await made(shop, "coder", "read the repository\nslow 900 0")
  await troupe.begin(shop, works, "write the migration\nslow 100000 50")
  await troupe.begin(desk, healed, "tool sleep 300")
  const asks = await made(
    desk,
    "coder",
    "Read the failing test and tell me why it fails.\ntool ls\nslow 60 0",
    "Then mend it.\ntool echo mended\nslow 40 0"
  )
  await troupe.begin(desk, asks, "Clean up and run the tests again.\nask-tool rm -rf build && npm test")
  const [first] = [await made(mail, "triage", "what came in today?\nslow 80 0")]
  await troupe.begin(mail, first, "ask-tool mv inbox/42 archive/")
  await Promise.all([
    reaches(asks, "turning.asking"),
    reaches(first, "turning.asking"),
    reaches(works, "turning.running")
  ])
  return asks
}
