/** A turn's own model, on an agent that keeps the model of its last answer with the conversation. */
import { assert, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openTroupe } from "../../src/promise.ts"

const fixture = join(import.meta.dirname, "..", "fixtures", "agents", "acp-remembers-model.ts")

it("a turn's model does not count for the next process, whether or not the session has one of its own", async () => {
  const memory = mkdtempSync(join(tmpdir(), "troupe-models-"))
  const remembers = { protocol: "acp", command: [process.execPath, fixture], env: { MEMORY: memory } } as const
  const troupe = await openTroupe({ dataDir: ":memory:", agents: { remembers }, defaultAgent: "remembers" })
  try {
    const session = await troupe.createSession({ permissions: "approve_all" })
    const said = async (options = {}) => (await session.turn("which?", options)).finalText
    assert.strictEqual(await said(), "own")
    assert.strictEqual(await said({ model: "small" }), "small")
    // Its process is retired, and the next one takes the conversation up.
    const { threadId } = await session.change({ permissions: "ask" })
    assert.strictEqual(await said(), "own")
    assert.strictEqual((await session.view()).threadId, threadId)
    await session.change({ model: "small" })
    assert.strictEqual(await said({ model: "own" }), "own")
    await session.change({ permissions: "approve_all" })
    assert.strictEqual(await said(), "small")
  } finally {
    await troupe.close()
    rmSync(memory, { recursive: true, force: true })
  }
})
