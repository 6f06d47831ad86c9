/** The cost of a session, where its agent reports it: an agent that replays the output of a real one. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

const fixtures = join(import.meta.dirname, "..", "fixtures")
const command = [
  process.execPath,
  join(fixtures, "agents", "acp-replay.ts"),
  join(fixtures, "traces", "acp", "claude-basic.ndjson")
]

describe.skipIf(chromium === null)("what a session cost", () => {
  let troupe: RunningTroupe
  let app: string
  beforeAll(async () => {
    const workspace = makeWorkspace()
    const agents = { costed: { protocol: "acp", command } }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents }))
    troupe = await startTroupe({}, workspace)
    app = await troupe.mint("desk")
  })
  afterAll(() => troupe?.leave())

  it("is shown in its head and with its tokens, grows with its turns, and is absent where no agent reported it", async () => {
    const id = await troupe.create(app, { agent: "costed" })
    await troupe.turn(app, id, "one")
    const page = await troupe.visit({ token: adminToken, at: `#/sessions/${id}` })
    const head = page.locator(".session-facts")
    await head.getByText("0.00032 USD").waitFor()
    await page.getByRole("tab", { name: "Time & tokens" }).click()
    const panel = page.getByRole("region", { name: "Time and tokens" })
    await panel.getByText("As its agent tells, they cost 0.00032 USD.").waitFor()
    await troupe.turn(app, id, "two")
    await head.getByText("0.0011 USD").waitFor()
    await panel.getByText("they cost 0.0011 USD.").waitFor()
    await shoot(page, "session-cost")

    const silent = await troupe.create(app)
    await troupe.turn(app, silent, "hello")
    const other = await troupe.visit({ token: adminToken, at: `#/sessions/${silent}` })
    const facts = other.locator(".session-facts", { hasText: "1 turn" })
    await facts.waitFor()
    assert.notInclude(await facts.textContent(), "USD")
  })
})
