/** The narrator: which line is open, how a tool call ends, and what must not reach a terminal. */
import { assert, describe, it } from "@effect/vitest"
import { makeNarrator } from "../../src/cli/narration.ts"
import { oneLine } from "../../src/cli/terminal.ts"

const update = (what: Readonly<Record<string, unknown>>) => ({ method: "session/update", params: { update: what } })
const says = (words: string, messageId?: string) =>
  update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: words }, messageId })
const calls = (toolCallId: string, title: string) =>
  update({ sessionUpdate: "tool_call", toolCallId, title, kind: "execute", status: "pending" })
const changes = (toolCallId: string, what: Readonly<Record<string, unknown>>) =>
  update({ sessionUpdate: "tool_call_update", toolCallId, ...what })

const narrated = (...messages: ReadonlyArray<Parameters<ReturnType<typeof makeNarrator>["narrate"]>[0]>) => {
  const narrator = makeNarrator("  ")
  return messages.map((message) => narrator.narrate(message)).join("") + narrator.end()
}

describe("the narration of a session", () => {
  it("prints words as they come, and begins another message on a line of its own", () => {
    assert.strictEqual(
      narrated(says("One ", "a"), says("message.\nOf two lines.", "a")),
      "  One message.\n  Of two lines.\n"
    )
    assert.strictEqual(narrated(says("First.\n\n", "a"), says("Second.", "b")), "  First.\n  Second.\n")
    assert.strictEqual(narrated(says("First.\n", "a"), says("Second. \n", "a")), "  First.\n  Second. \n")
  })

  it("prints the prompt of a turn, cut where it is long, and nothing when the turn starts and ends", () => {
    const turn = (phase: string, more = {}) => ({
      method: "_troupe/turn",
      params: {
        phase,
        turn_index: 1,
        at: 1,
        kind: "prompt",
        _meta: { "troupe/turn_index": 1, "troupe/at": 1 },
        ...more
      }
    })
    assert.strictEqual(
      narrated(turn("submitted", { prompt: "Fix\nit." }), turn("started"), turn("ended")),
      "  › Fix ⏎ it.\n"
    )
    assert.strictEqual(narrated(turn("submitted", { prompt: "" })), "")
    assert.isBelow(narrated(turn("submitted", { prompt: "x".repeat(100_000) })).length, 1_000)
  })

  it("prints a tool call on one line with how it ended", () => {
    const exit = { status: "failed", rawOutput: { output: "no", exitCode: 2 } }
    assert.strictEqual(narrated(calls("t", "ls"), changes("t", { status: "completed" })), "  ◆ ls ✓\n")
    assert.strictEqual(narrated(calls("t", "ls"), changes("t", exit)), "  ◆ ls [exit 2]\n")
    const declined = { status: "failed", _meta: { "troupe/status": "declined" } }
    assert.strictEqual(narrated(calls("t", "ls"), changes("t", declined)), "  ◆ ls [declined]\n")
    assert.strictEqual(
      narrated(calls("t", "Terminal"), changes("t", { title: "ls" }), changes("t", { status: "completed" })),
      "  ◆ Terminal: ls ✓\n"
    )
  })

  it("prints a tool call again at its end where something else was printed in between", () => {
    const ended = [changes("a", { status: "completed" }), changes("b", { status: "failed" })]
    assert.strictEqual(
      narrated(calls("a", "one"), calls("b", "two"), ...ended),
      "  ◆ one\n  ◆ two\n  ◆ one ✓\n  ◆ two [failed]\n"
    )
  })

  it("prints no control sequence, and no line break within a title", () => {
    const nasty = "a\u001b[2Jb\u009b1mc\u0007\rd\u202ee"
    assert.strictEqual(narrated(says(nasty)), "  a[2Jb1mcde\n")
    assert.strictEqual(oneLine("rm -rf ~\n  ✓ harmless\u001b[1A"), "rm -rf ~ ⏎ ✓ harmless[1A")
    assert.strictEqual(narrated(calls("t", "ls\nrm"), changes("t", { status: "completed" })), "  ◆ ls ⏎ rm ✓\n")
  })
})
