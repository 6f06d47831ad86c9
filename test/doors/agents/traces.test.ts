/** The fold of a turn over all recorded traces of real agents: what the SDK's own collector makes of it, and what is listed. */
import { assert, describe, it } from "@effect/vitest"
import { AgentTurnResultCollector } from "openai/lib/beta/agents/agent-turn-result-collector"
import type { AgentSessionEvent } from "openai/resources/beta/agents/agents"
import { resultOf } from "../../../src/conversation/turnResult.ts"
import type { AcpMessage } from "../../../src/domain/Acp.ts"
import { streamed } from "../../../src/domain/events/StreamedMessage.ts"
import { troupeMessage } from "../../../src/domain/events/troupeMessage.ts"
import { foldSession } from "../../../src/doors/agents/foldSession.ts"
import { foldTurn } from "../../../src/doors/agents/foldTurn.ts"
import type { UnnamedEvent } from "../../../src/doors/agents/sdk.ts"
import { recorded } from "../../conversation/recorded.ts"
import type { RecordedTurn } from "../../conversation/recorded.ts"

const agent = "codex"

/** As the session's stream has them, with what Troupe itself says of the turn. */
const storedOf = ({ events, turn }: RecordedTurn) => {
  const { index, kind, prompt, session } = turn
  const about = (at: number) => ({ turn_index: index, at, kind })
  const { failure, status, stopReason } = resultOf(turn, events).turn
  const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1, reasoning_tokens: 0, total_tokens: 2 }
  const ended = {
    ...about(2),
    phase: "ended" as const,
    status: status as "completed",
    stop_reason: stopReason ?? "error",
    error: failure === null ? null : `${failure.class}: ${failure.message}`,
    error_class: failure?.class ?? null,
    usage
  }
  const messages = [
    troupeMessage("turn", { ...about(1), phase: "submitted", prompt, queued: false }),
    troupeMessage("turn", { ...about(1), phase: "started" }),
    // Its end comes right behind the reply. What comes later is in no answer of it.
    ...events.flatMap((event): ReadonlyArray<AcpMessage> =>
      "method" in event ? [event] : [event, troupeMessage("turn", ended)]
    )
  ]
  return messages.map((message, nth) => streamed({ session, seq: nth + 1, turn: index, at: 1_000 + nth, message }))
}

const told = (turn: RecordedTurn) => {
  const place = { session: turn.turn.session, turn: turn.turn.index }
  const fold = foldTurn(place, agent)
  const events = storedOf(turn).flatMap((event) => fold.take(event))
  return { events, items: fold.items() }
}

const idOf = (event: UnnamedEvent): string | null =>
  "item" in event ? event.item.id : "item_id" in event ? event.item_id : null

describe("a turn of the Agents API", () => {
  for (const { name, turns } of recorded) {
    it(`tells each item once, from its beginning to its end, and lists what it told: ${name}`, () => {
      for (const turn of turns) {
        const { events, items } = told(turn)
        assert.deepStrictEqual(told(turn).events, events)
        const begun: Array<string> = []
        const done: Array<string> = []
        for (const event of events) {
          const id = idOf(event)
          if (event.type === "agent.session.turn.item.added") {
            assert.notInclude(begun, id)
            begun.push(id!)
            assert.strictEqual(items[begun.length - 1]?.id, id)
          } else if (id !== null) {
            assert.include(begun, id)
            assert.notInclude(done, id)
          }
          if (event.type !== "agent.session.turn.item.done") continue
          done.push(id!)
          const listed = items.find((item) => item.id === id)
          assert.deepStrictEqual(listed as object, event.item)
        }
        assert.deepStrictEqual(
          begun,
          items.map(({ id }) => id)
        )
        const outputs = items.filter((item) => !("role" in item && item.role === "user"))
        assert.sameMembers(
          done,
          outputs.map(({ id }) => id)
        )
        for (const item of outputs) assert.notStrictEqual("status" in item ? item.status : "", "in_progress")
        const last = events.at(-1)?.type
        assert.match(last ?? "", /^agent\.session\.turn\.(completed|failed|cancelled)$/)
      }
    })

    it(`is a result to the SDK, whose text has the turn's final text: ${name}`, () => {
      for (const turn of turns) {
        const { finalText, turn: record } = resultOf(turn.turn, turn.events)
        const collector = new AgentTurnResultCollector("ses_recorded")
        const fold = foldSession("ses_recorded", agent)
        for (const event of storedOf(turn).flatMap((stored) => fold.take(stored))) {
          const whole =
            event.type === "status"
              ? { type: `agent.session.${event.status}`, session: { id: "ses_recorded", required_actions: [] } }
              : event
          collector.accept(whole as unknown as AgentSessionEvent)
        }
        if (record.status !== "completed" || record.stopReason === "max_tokens") {
          assert.throws(() => collector.finish(), /failed|cancelled/)
          continue
        }
        const { output_text } = collector.finish()
        assert.include(output_text, finalText)
      }
    })
  }
})
