/** All recorded turns of real agents as runs, which the protocol's client reads with all its checks. */
import { assert, describe, it } from "@effect/vitest"
import { resultOf } from "../../../src/conversation/turnResult.ts"
import type { AcpMessage } from "../../../src/domain/Acp.ts"
import { streamed } from "../../../src/domain/events/StreamedMessage.ts"
import type { StreamedEvent } from "../../../src/domain/events/StreamedMessage.ts"
import { troupeMessage } from "../../../src/domain/events/troupeMessage.ts"
import type { SessionBackend } from "../../../src/backend/Backend.ts"
import { readInput } from "../../../src/doors/agui/input.ts"
import { streamRun } from "../../../src/doors/agui/stream.ts"
import { recorded } from "../../conversation/recorded.ts"
import type { RecordedTurn } from "../../conversation/recorded.ts"
import { loadClient, ran } from "./client.ts"

/** As the session's stream has them, with the end that Troupe itself tells behind the agent's reply. */
const storedOf = ({ events, turn }: RecordedTurn): ReadonlyArray<StreamedEvent> => {
  const { index, kind, session } = turn
  const { failure, status, stopReason } = resultOf(turn, events).turn
  const ended = troupeMessage("turn", {
    turn_index: index,
    at: 2,
    kind,
    phase: "ended",
    status: status as "completed",
    stop_reason: stopReason ?? "error",
    error: failure === null ? null : `${failure.class}: ${failure.message}`,
    error_class: failure?.class ?? null,
    usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1, reasoning_tokens: 0, total_tokens: 2 }
  })
  const messages = events.flatMap((event): ReadonlyArray<AcpMessage> => ("method" in event ? [event] : [event, ended]))
  return messages.map((message, nth) => streamed({ session, seq: nth + 1, turn: index, at: 1_000 + nth, message }))
}

const Client = loadClient()

/** The door's own answer in place of a server's. */
const runOf = (turn: RecordedTurn) => {
  const place = { session: turn.turn.session, turn: turn.turn.index }
  const events = storedOf(turn)
  const turnEvents = async function* () {
    yield* events
  }
  const session = { turnEvents } as unknown as SessionBackend
  const fetch = async (_url: string, { body }: { readonly body: string }) =>
    streamRun({ session, place, wished: null, input: readInput(JSON.parse(body)) })
  return ran(new Client({ url: "http://recorded", headers: {}, threadId: "t", fetch }), "as recorded")
}

describe("a recorded turn as a run", () => {
  for (const { name, turns } of recorded) {
    it(`is taken by the client, with the turn's text and its calls: ${name}`, async () => {
      for (const turn of turns) {
        const { finalText, messages, turn: record } = resultOf(turn.turn, turn.events)
        const { last, newMessages, text } = await runOf(turn)
        if (record.status === "completed") {
          assert.deepInclude(last as object, { type: "RUN_FINISHED", outcome: { type: "success" } })
          assert.include(text, finalText)
        } else if (record.status === "interrupted") {
          assert.deepInclude(last as object, { type: "RUN_FINISHED", outcome: { type: "cancelled" } })
        } else assert.deepInclude(last as object, { type: "RUN_ERROR", code: record.failure?.class ?? "failed" })
        // Each call has the name that it has among the turn's messages, and the output, unless that came after the turn's end.
        const outputs = (list: ReadonlyArray<{ readonly role: string; readonly content?: unknown }>) =>
          list.flatMap(({ content, role }) => (role === "tool" ? [content] : []))
        const told = outputs(messages)
        assert.lengthOf(outputs(newMessages), told.length)
        for (const output of outputs(newMessages)) assert.include([...told, "[unfinished]"], output)
        const called = newMessages.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
        assert.sameMembers(
          called.map((call) => call.function.name),
          messages.flatMap(({ tool_calls = [] }) => tool_calls.map((call) => call.function.name))
        )
      }
    })
  }
})
