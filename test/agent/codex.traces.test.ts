/** Every recorded codex trace, replayed through the translator: what holds for all of them. */
import { assert, describe, it } from "@effect/vitest"
import { itemIn } from "../../src/agent/codex/wire.ts"
import { ends, ofKind, replay, textOf, traces, updateOf, updates } from "./codex.replay.ts"
import type { Replay } from "./codex.replay.ts"
import { objectIn, textIn } from "../../src/domain/json.ts"

/** The ids of the items of the trace's thread, or of all other threads. */
const itemIds = ({ out, thread }: Replay, ours: boolean) =>
  new Set(
    out.flatMap((msg) => {
      const params = objectIn(msg["params"])
      const item = itemIn(params)
      return item !== null && (params["threadId"] === thread) === ours ? [item.id] : []
    })
  )

describe("a recorded codex trace", () => {
  it.each(traces)("%s: each turn that codex ended ends exactly once", (name) => {
    const { facts, out, thread } = replay(name)
    const completed = new Set(
      out.flatMap((msg) => {
        const params = objectIn(msg["params"])
        const ours = msg["method"] === "turn/completed" && params["threadId"] === thread
        return ours ? [textIn(objectIn(params["turn"])["id"])] : []
      })
    )
    const agentTurnIds = new Map(
      facts.flatMap((fact) => (fact._tag === "TurnStarted" ? [[fact.turn, fact.agentTurnId] as const] : []))
    )
    const expected = [...agentTurnIds].flatMap(([turn, id]) => (completed.has(id) ? [turn] : []))
    assert.deepStrictEqual(
      ends(facts).map(({ turn }) => turn),
      expected
    )
    for (const end of ends(facts)) assert.strictEqual(end.stopReason === "error", end.failure !== null)
  })

  it.each(traces)("%s: a tool call begins once, before its updates", (name) => {
    const begun = new Set<unknown>()
    for (const fact of updates(replay(name).facts)) {
      const { sessionUpdate, toolCallId } = updateOf(fact)
      if (sessionUpdate === "tool_call") {
        assert.isFalse(begun.has(toolCallId), `${String(toolCallId)} begins twice`)
        begun.add(toolCallId)
      }
      if (sessionUpdate === "tool_call_update")
        assert.isTrue(begun.has(toolCallId), `${String(toolCallId)} has not begun`)
    }
  })

  it.each(traces)("%s: nothing of another thread is emitted", (name) => {
    const replayed = replay(name)
    const foreign = itemIds(replayed, false)
    const ownItems = itemIds(replayed, true)
    for (const fact of updates(replayed.facts)) {
      const id = updateOf(fact)["toolCallId"] ?? updateOf(fact)["messageId"]
      if (typeof id === "string" && !ownItems.has(id)) assert.isFalse(foreign.has(id), id)
      // A notification before the thread's id is known is about the process.
      assert.include(["", replayed.thread], fact.message.params.sessionId)
    }
  })

  it.each(traces)("%s: the chunks of a completed message are its text, whole and once", (name) => {
    const { facts, out, thread } = replay(name)
    const texts = new Map<string, string>()
    for (const fact of ofKind(facts, "agent_message_chunk")) {
      const id = String(updateOf(fact)["messageId"])
      texts.set(id, (texts.get(id) ?? "") + textOf([fact]))
    }
    for (const msg of out) {
      const params = objectIn(msg["params"])
      const item = itemIn(params)
      if (msg["method"] !== "item/completed" || params["threadId"] !== thread || item?.type !== "agentMessage") continue
      assert.strictEqual(texts.get(item.id), item["text"])
    }
  })

  it.each(traces)("%s: a turn that has ended leaves no tool call open but a running command", (name) => {
    const { facts } = replay(name)
    const open = new Map<unknown, { readonly turn: number | null; readonly kind: unknown }>()
    for (const fact of facts) {
      if (fact._tag === "TurnEnded") {
        const openCalls = [...open.values()].filter(({ turn, kind }) => turn === fact.turn && kind !== "execute")
        assert.deepStrictEqual(openCalls, [])
      }
      if (fact._tag !== "Update") continue
      const { sessionUpdate, toolCallId, kind, status } = updateOf(fact)
      if (sessionUpdate === "tool_call") open.set(toolCallId, { turn: fact.turn, kind })
      if (status === "completed" || status === "failed") open.delete(toolCallId)
    }
  })
})
