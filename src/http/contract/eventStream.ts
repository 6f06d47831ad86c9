/**
 * Server-sent events in OpenAPI. What travels as `data` is JSON text; its schema is that of the parsed data,
 * because generators of clients make types from that and ignore the `contentSchema` of a text.
 */
import { Schema } from "effect"
import { StreamProblem } from "./Problem.ts"

const component = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const eventWith = (event: object, data: object, id?: object) => ({
  type: "object",
  properties: { ...(id === undefined ? {} : { id }), event, data },
  required: ["event", "data"]
})

/** The component's name is that of `StreamedMessage`. */
const sessionEvent = eventWith(
  {
    type: "string",
    description: "`message`, or the name of a message of Troupe's own: `turn`, `state`, `approval_asked`, …"
  },
  component("EventMessage"),
  { type: "string", description: "The event's sequence number, where a reader resumes." }
)

/** In full, because no operation refers to it in another way. */
const streamProblem = Schema.toJsonSchemaDocument(StreamProblem).definitions["StreamProblem"]!

/** What a streamed turn is made of. */
export const turnEvents = {
  anyOf: [
    sessionEvent,
    eventWith({ type: "string", enum: ["result"] }, component("TurnResult")),
    eventWith({ type: "string", enum: ["error"] }, streamProblem)
  ]
}

/** Describes the events of a session's stream, whose schema decodes them from text. */
export function withParsedData(operation: Record<string, unknown>) {
  const responses = operation["responses"] as Record<string, { content: Record<string, object> }>
  const ok = responses["200"]
  if (ok === undefined) return operation
  const content = { "text/event-stream": { ...ok.content["text/event-stream"], schema: sessionEvent } }
  return { ...operation, responses: { ...responses, 200: { ...ok, content } } }
}
