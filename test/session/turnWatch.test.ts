/** The watchdog for silence after a tool: what arms it, what it takes for life, and what real codex says in between. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { SessionTimer } from "../../src/session/SessionTimers.ts"
import { silenceWatch } from "../../src/session/TurnWatch.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { replay, updateOf, updates } from "../agent/codex.replay.ts"

const quietMillis = 90_000

/** One whose alarm's deadline can be read: `null` while it sleeps. */
const listening = () => {
  let dueAt: number | null = null
  const timers = {
    armUnstored: (timer: SessionTimer) => void (dueAt = timer.dueAt),
    disarm: () => void (dueAt = null)
  }
  const watch = silenceWatch(timers, quietMillis)
  const hear = (update: SessionUpdate) => watch.received(updateMessage("thread", update), true)
  return { hear, dueAt: () => dueAt }
}

const toolEnds = { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" }

describe("the watchdog", () => {
  it.effect("counts from the last thing told beside the work, which is no sign that the work goes on", () =>
    Effect.gen(function* () {
      const { dueAt, hear } = listening()
      yield* hear({ sessionUpdate: "usage_update", used: 1, size: 2 })
      assert.isNull(dueAt())
      yield* hear(toolEnds)
      assert.strictEqual(dueAt(), quietMillis)
      yield* TestClock.adjust("10 seconds")
      yield* hear({ sessionUpdate: "usage_update", used: 1, size: 2 })
      assert.strictEqual(dueAt(), 10_000 + quietMillis)
      yield* hear({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "well" } })
      assert.isNull(dueAt())
    })
  )

  it.effect("is awake between a real codex's tool and its next word, and asleep when that comes", () =>
    Effect.gen(function* () {
      const { dueAt, hear } = listening()
      const seen: Array<readonly [string, boolean]> = []
      for (const fact of updates(replay("02-shell-ok").facts)) {
        yield* hear(updateOf(fact))
        seen.push([updateOf(fact).sessionUpdate, dueAt() !== null])
      }
      const tool = seen.findIndex(([, awake]) => awake)
      assert.deepStrictEqual(seen.slice(tool, tool + 3), [
        ["tool_call_update", true],
        ["usage_update", true],
        ["agent_message_chunk", false]
      ])
      assert.isNull(dueAt())
    })
  )
})
