/** The watchdog for silence after a tool: what arms it, what disarms it, and the messages of a real codex in between. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import type { SessionTimer } from "../../src/session/SessionTimers.ts"
import { SilenceWatch } from "../../src/session/SilenceWatch.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { replay, updateOf, updates } from "../agent/codex.replay.ts"

const quietMillis = 90_000

/** A watchdog whose deadline can be read: `null` while it is disarmed. */
const readableWatch = Effect.fnUntraced(function* (turnQuietMillis: number | null = null) {
  let dueAt: number | null = null
  const timers = {
    armUnstored: (timer: SessionTimer) => void (dueAt = timer.dueAt),
    disarm: () => void (dueAt = null)
  }
  const watch = new SilenceWatch(timers, { postToolQuietMillis: quietMillis, turnQuietMillis }, yield* Clock.Clock)
  const receive = (update: SessionUpdate) => watch.received(updateMessage("thread", update), true)
  return { receive, handed: (now: number) => watch.handed(now), dueAt: () => dueAt }
})

const toolEnds = { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" }

describe("the watchdog", () => {
  it.effect("a report beside the work does not disarm the watchdog but restarts its time", () =>
    Effect.gen(function* () {
      const { dueAt, receive } = yield* readableWatch()
      receive({ sessionUpdate: "usage_update", used: 1, size: 2 })
      assert.isNull(dueAt())
      receive(toolEnds)
      assert.strictEqual(dueAt(), quietMillis)
      yield* TestClock.adjust("10 seconds")
      receive({ sessionUpdate: "usage_update", used: 1, size: 2 })
      assert.strictEqual(dueAt(), 10_000 + quietMillis)
      receive({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "well" } })
      assert.isNull(dueAt())
    })
  )

  it.effect(
    "the watchdog for a whole turn is armed by its prompt and by every sign of life, after a tool as well",
    () =>
      Effect.gen(function* () {
        const { dueAt, handed, receive } = yield* readableWatch(600_000)
        handed(5)
        assert.strictEqual(dueAt(), 600_005)
        yield* TestClock.adjust("1 minute")
        receive({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "well" } })
        assert.strictEqual(dueAt(), 660_000)
        receive(toolEnds)
        assert.strictEqual(dueAt(), 60_000 + quietMillis)
      })
  )

  it.effect("the watchdog is armed between the end of a real codex's tool and its next message", () =>
    Effect.gen(function* () {
      const { dueAt, receive } = yield* readableWatch()
      const seen: Array<readonly [string, boolean]> = []
      for (const fact of updates(replay("02-shell-ok").facts)) {
        receive(updateOf(fact))
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

  it("the watchdog for silent agents is not armed while an approval is open, even if a tool ends", () => {
    const armed = new Set<string>()
    const timers = {
      armUnstored: ({ timer }: SessionTimer) => void armed.add(timer),
      disarm: (timer: string) => void armed.delete(timer)
    }
    const clock = { currentTimeMillisUnsafe: () => 0 }
    const watch = new SilenceWatch(timers, { postToolQuietMillis: 90_000, turnQuietMillis: null }, clock)
    const toolEnds = () =>
      watch.received(
        updateMessage("thread", { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" }),
        true
      )
    toolEnds()
    assert.strictEqual(armed.size, 1)
    watch.hold(true)
    assert.strictEqual(armed.size, 0)
    toolEnds()
    assert.strictEqual(armed.size, 0)
    watch.hold(false)
    toolEnds()
    assert.strictEqual(armed.size, 1)
  })
})
