/** Which tools of a turn run, as their agent tells of them. */
import { assert, describe, it } from "@effect/vitest"
import { updateMessage } from "../../src/domain/Acp.ts"
import { OpenTools } from "../../src/session/OpenTools.ts"

const called = (toolCallId: string, more: object = {}) =>
  updateMessage("t", { sessionUpdate: "tool_call", toolCallId, title: `run ${toolCallId}`, kind: "execute", ...more })
const updated = (toolCallId: string, more: object) =>
  updateMessage("t", { sessionUpdate: "tool_call_update", toolCallId, ...more })

describe("the tools that run", () => {
  it("are those that were called and have not ended, the oldest first", () => {
    const tools = new OpenTools()
    tools.received(called("a"), 10)
    tools.received(called("b"), 20)
    tools.received(called("c", { status: "completed" }), 25)
    tools.received(updated("a", { status: "in_progress", title: "pytest -q" }), 30)
    tools.received(updated("a", { status: "in_progress" }), 40)
    assert.deepStrictEqual(tools.all, [
      { title: "pytest -q", kind: "execute", since: 30 },
      { title: "run b", kind: "execute", since: 20 }
    ])
    tools.received(updated("a", { status: "failed" }), 50)
    tools.received(updated("b", { status: "completed" }), 60)
    // News of what has ended begins nothing.
    tools.received(updated("a", { status: "in_progress" }), 70)
    assert.isTrue(tools.isEmpty)
  })

  it("are no more than a bounded number, of bounded names", () => {
    const tools = new OpenTools()
    for (let n = 0; n < 1_000; n++) tools.received(called(`t${n}`, { title: "x".repeat(10_000) }), n)
    assert.strictEqual(tools.all.length, 32)
    assert.strictEqual(tools.all[0]?.title.length, 300)
    tools.clear()
    assert.deepStrictEqual(tools.all, [])
  })
})
