/** A session's turns and messages as a reader rebuilds them who has nothing but the session's stream. */
import { resultOf } from "../../src/conversation/turnResult.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StreamedMessage, TurnMessage } from "../../src/domain/events/StreamedMessage.ts"
import type { Message, TurnRecord } from "../../src/domain/Turn.ts"

interface RebuiltTurn {
  record: TurnRecord
  error: { readonly error: string | null; readonly error_class: string | null }
  readonly messages: Array<TurnMessage>
  started: number
}

const millis = (seconds: number) => Math.round(seconds * 1000)

/** Throws where the stream itself is wrong: a phase out of order, or a message of a turn that was not submitted. */
const turnsIn = (stream: ReadonlyArray<StreamedMessage>): ReadonlyArray<RebuiltTurn> => {
  const turns = new Map<number, RebuiltTurn>()
  const turnOf = (index: number): RebuiltTurn => {
    const turn = turns.get(index)
    if (turn === undefined) throw new Error(`turn ${index} was never submitted`)
    return turn
  }
  for (const message of stream) {
    switch (message.method) {
      case "_troupe/turn": {
        const { params } = message
        if (params._meta["troupe/turn_index"] !== params.turn_index) throw new Error("of another turn")
        if (params.phase === "submitted") {
          const { at, kind, prompt, queued, turn_index } = params
          if (turns.has(turn_index)) throw new Error(`turn ${turn_index} was submitted twice`)
          const record = newTurn(turn_index, kind, queued ? "queued" : "running", prompt, millis(at))
          turns.set(turn_index, { record, error: { error: null, error_class: null }, messages: [], started: 0 })
          break
        }
        const turn = turnOf(params.turn_index)
        if (turn.record.endedAt !== null || turn.record.kind !== params.kind) throw new Error(JSON.stringify(params))
        if (params.phase === "started") {
          turn.started++
          turn.record = { ...turn.record, status: "running" }
          break
        }
        const { at, error, error_class, status, stop_reason, usage } = params
        turn.error = { error, error_class }
        turn.record = {
          ...turn.record,
          status,
          stopReason: stop_reason,
          endedAt: millis(at),
          interrupted: status === "interrupted" || status === "timed_out",
          usage: {
            inputTokens: usage.input_tokens,
            cachedInputTokens: usage.cached_input_tokens,
            outputTokens: usage.output_tokens,
            reasoningTokens: usage.reasoning_tokens,
            totalTokens: usage.total_tokens
          }
        }
        break
      }
      case "session/update": {
        const index = message.params._meta["troupe/turn_index"]
        if (index !== null) turnOf(index).messages.push(message)
        break
      }
      case undefined:
        turnOf(message.id).messages.push(message)
        break
      default:
        break
    }
  }
  return [...turns.values()]
}

const newTurn = (
  index: number,
  kind: TurnRecord["kind"],
  status: "queued" | "running",
  prompt: string,
  submittedAt: number
): TurnRecord => ({
  session: SessionId.make("rebuilt"),
  index,
  kind,
  status,
  prompt,
  content: null,
  settings: {},
  givenContext: null,
  submittedAt,
  endedAt: null,
  stopReason: null,
  usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, totalTokens: 0 },
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId: null,
  agentTurnId: null,
  contextLost: false,
  contextAsOf: null,
  workdirLost: false
})

/** The fields of `GET …/turns` that make a chat, and the messages of `GET …/messages`. */
export const rebuilt = (stream: ReadonlyArray<StreamedMessage>) => {
  const turns = turnsIn(stream).map(({ error, messages, record, started }) => {
    const result = resultOf(record, messages)
    return {
      started,
      conversation: result.messages,
      turn: chatOf({
        turn_index: record.index,
        kind: record.kind,
        status: record.status,
        prompt: record.prompt,
        submitted_at: record.submittedAt / 1000,
        ended_at: record.endedAt === null ? null : record.endedAt / 1000,
        stop_reason: record.stopReason,
        ...error,
        usage: {
          input_tokens: record.usage.inputTokens,
          cached_input_tokens: record.usage.cachedInputTokens,
          output_tokens: record.usage.outputTokens,
          reasoning_tokens: record.usage.reasoningTokens,
          total_tokens: record.usage.totalTokens
        },
        final_text: result.finalText,
        compacted: result.compacted,
        events: result.events,
        messages: result.messages
      })
    }
  })
  return {
    turns: turns.map(({ turn }) => turn),
    started: turns.map(({ started }) => started),
    messages: turns.flatMap(({ conversation }): ReadonlyArray<Message> => conversation)
  }
}

/** The same fields of a turn's body as HTTP sends it. */
export const chatOf = ({
  compacted,
  ended_at,
  error,
  error_class,
  events,
  final_text,
  kind,
  messages,
  prompt,
  status,
  stop_reason,
  submitted_at,
  turn_index,
  usage
}: Readonly<Record<string, unknown>>) => ({
  compacted,
  ended_at,
  error,
  error_class,
  events,
  final_text,
  kind,
  messages,
  prompt,
  status,
  stop_reason,
  submitted_at,
  turn_index,
  usage
})
