/** Texts that codex never completes, and a turn whose text says that it was aborted. */
import { assert, describe, it } from "@effect/vitest"
import * as Translate from "../../src/agent/codex/Translator.ts"
import { ends, metaOf, ofKind, replay, updateOf } from "./codex.replay.ts"

/** A translator with turn 1 running as `T`. */
const running = () => {
  const translator = Translate.make("thread")
  translator.begin(1)
  translator.accepted("T")
  const notify = (method: string, params: Readonly<Record<string, unknown>>) =>
    translator.notification(method, { threadId: "thread", turnId: "T", ...params })
  return { say: notify, translator }
}

describe("a text that codex never completes", () => {
  it("a text that codex never completes is marked as cut off when its turn ends", () => {
    for (const [name, cut] of [
      ["50-interrupt-mid-stream", 1],
      ["53-steer", 1],
      ["66-stream-cut-retry-ok", 1],
      ["01-handshake-text", 0]
    ] as const) {
      const marks = ofKind(replay(name).facts, "agent_message_chunk").map((fact) => metaOf(fact)["troupe/completed"])
      assert.strictEqual(marks.filter((mark) => mark === false).length, cut, name)
    }
  })

  it("a thought that codex never completes is marked as cut off, too", () => {
    const { say: notify } = running()
    notify("item/reasoning/textDelta", { itemId: "r", delta: "hm", contentIndex: 0 })
    const [chunk] = ofKind(
      notify("turn/completed", { turn: { id: "T", status: "interrupted" } }),
      "agent_thought_chunk"
    )
    assert.deepInclude(updateOf(chunk!), { messageId: "r", _meta: { "troupe/completed": false } })
  })
})

describe("a turn whose text says that it was aborted", () => {
  it("a turn whose text says that it was aborted can still be interrupted, and only codex ends it", () => {
    const { say: notify, translator } = running()
    const item = { type: "agentMessage", id: "m", text: "<turn_aborted>The user interrupted.</turn_aborted>" }
    assert.deepStrictEqual(ends(notify("item/completed", { item })), [])
    assert.isNotNull(translator.running())
    const ended = ends(notify("turn/completed", { turn: { id: "T", status: "interrupted" } }))
    assert.containSubset(ended, [{ turn: 1, stopReason: "cancelled", failure: null }])
  })
})
