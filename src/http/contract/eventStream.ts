/**
 * Server-sent events in OpenAPI. The schema of a stream is that of one event's parsed `data`: clients that are generated hand
 * that out, and take `id` and `event` apart by themselves. What a stream sends besides is in its description.
 */
import { Schema } from "effect"
import { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import { TurnResult } from "./bodies.ts"
import { StreamProblem } from "./Problem.ts"

const SessionStreamData = Schema.Union([StreamedMessage, StreamProblem]).annotate({
  identifier: "SessionStreamData",
  description:
    "The `data` of an event of a session's stream: a message, which has `jsonrpc`, or of `event: error` the problem that ends the stream, which has `error` and `status`."
})

const TurnStreamData = Schema.Union([StreamedMessage, TurnResult, StreamProblem]).annotate({
  identifier: "TurnStreamData",
  description:
    "The `data` of an event of a turn's stream: a message, which has `jsonrpc`; last of `event: result` the turn's result, which has `final_text`, or of `event: error` the problem in its place, which has `error` and `status`."
})

/** Components that no schema of an endpoint refers to. */
export const streamSchemas = [SessionStreamData, TurnStreamData] as const

const withData = (name: string) => (operation: Record<string, unknown>) => {
  const responses = operation["responses"] as Record<string, object>
  const content = { "text/event-stream": { schema: { $ref: `#/components/schemas/${name}` } } }
  return { ...operation, responses: { ...responses, 200: { ...responses["200"], content } } }
}

export const withSessionData = withData("SessionStreamData")
export const withTurnData = withData("TurnStreamData")
