/** The result of a turn for whoever waited for it is made of the news, and is what everyone reads of it later. */
import { assert, it } from "@effect/vitest"
import { openTroupe } from "../../src/promise.ts"
import { chunk, end, scriptFolder, tool, toolUpdate } from "../agent/acp.script.ts"
import type { Step } from "../agent/acp.script.ts"

const long = "x".repeat(20_000)
const content = (text: string) => ({ content: [{ type: "content", content: { type: "text", text } }] })

const kinds: ReadonlyArray<readonly [what: string, steps: ReadonlyArray<Step>]> = [
  ["one text", [chunk("Hel"), chunk("lo"), end]],
  ["nothing", [end]],
  [
    "texts and a tool that says much",
    [chunk("Looking."), tool("t1", "in_progress", { title: "ls" }), toolUpdate("t1", "completed", content("a\nb")), end]
  ],
  ["more than is kept of the news", [chunk(long, { messageId: "a" }), chunk(long, { messageId: "b" }), end]],
  ["an error", [chunk("I try"), { error: { code: -32603, message: "model overloaded" } }]]
]

it("a turn's result is the same for whoever waited for it and for whoever reads it", async () => {
  const folder = scriptFolder()
  const troupe = await openTroupe({
    dataDir: ":memory:",
    agents: { scripted: { protocol: "acp", command: folder.command({ turns: kinds.map(([, steps]) => steps) }) } },
    defaultAgent: "scripted",
    drainMillis: 500
  })
  try {
    const session = await troupe.createSession()
    for (const [what] of kinds) {
      const outcome = await session.turn(what)
      const stored = (await session.turns()).at(-1)
      assert.deepStrictEqual(outcome, stored, what)
    }
    assert.lengthOf(await session.turns(), kinds.length)
  } finally {
    await troupe.close()
    folder.remove()
  }
})
