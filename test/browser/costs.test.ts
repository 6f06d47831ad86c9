/** What a session cost, where its agent tells: an agent that says what a real one said. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { makeWorkspace } from "../cli/program.ts"
import { chromium, shoot } from "./chromium.ts"
import { adminToken, openHouse } from "./harness.ts"
import type { House } from "./harness.ts"

const fixtures = join(import.meta.dirname, "..", "fixtures")
const command = [
  process.execPath,
  join(fixtures, "agents", "acp-replay.ts"),
  join(fixtures, "traces", "acp", "claude-basic.ndjson")
]

describe.skipIf(chromium === null)("what a session cost", () => {
  let house: House
  let app: string
  beforeAll(async () => {
    const place = makeWorkspace()
    const agents = { told: { protocol: "acp", command } }
    writeFileSync(join(place.cwd, "troupe.config.json"), JSON.stringify({ agents }))
    house = await openHouse({}, place)
    app = await house.mint("desk")
  })
  afterAll(() => house?.leave())

  it("stands in its head and with its tokens, goes on with its turns, and is nowhere where no agent told it", async () => {
    const id = await house.create(app, { agent: "told" })
    await house.turn(app, id, "one")
    const page = await house.visit({ token: adminToken, at: `#/sessions/${id}` })
    const head = page.locator(".session-facts")
    await head.getByText("0.00032 USD").waitFor()
    await page.getByRole("tab", { name: "Time & tokens" }).click()
    const panel = page.getByRole("region", { name: "Time and tokens" })
    await panel.getByText("As its agent tells, they cost 0.00032 USD.").waitFor()
    await house.turn(app, id, "two")
    await head.getByText("0.0011 USD").waitFor()
    await panel.getByText("they cost 0.0011 USD.").waitFor()
    await shoot(page, "session-cost")

    const silent = await house.create(app)
    await house.turn(app, silent, "hello")
    const other = await house.visit({ token: adminToken, at: `#/sessions/${silent}` })
    const facts = other.locator(".session-facts", { hasText: "1 turn" })
    await facts.waitFor()
    assert.notInclude(await facts.textContent(), "USD")
  })
})
