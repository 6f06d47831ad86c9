/** The contract of turns: submit one and get its result, whole or streamed; read past ones. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { maxContextCharacters } from "../../domain/GivenContext.ts"
import { GivenMessage, Message } from "../../domain/Message.ts"
import { Authorized } from "./Auth.ts"
import {
  FailedTurn,
  FileIds,
  IdempotencyHeaders,
  Effort,
  Mode,
  Model,
  NextCursor,
  PageQuery,
  PromptOrBlocks,
  SessionParams,
  StoredTurn,
  TimedOutTurn,
  TimeoutSeconds,
  TurnResult
} from "./bodies.ts"
import {
  badRequests,
  ConflictProblem,
  GoneProblem,
  NotFoundProblem,
  StreamProblem,
  UnprocessableProblem,
  ownFaults
} from "./Problem.ts"
import { lateDescription } from "./late.ts"
import { turnEvents } from "./eventStream.ts"
import { SessionEvent } from "./sessions.ts"
import { Ok, wire } from "./wire.ts"

export const SubmitTurn = wire(
  "SubmitTurn",
  {
    prompt: PromptOrBlocks,
    files: Schema.optionalKey(FileIds),
    messages: Schema.optionalKey(
      Schema.Array(GivenMessage).annotate({
        description: `The conversation so far as you keep it, for a session whose agent has none: given as text in front of the prompt, the newest messages up to ${maxContextCharacters} characters (\`_troupe/context_given\` says how many). 422 where a prompt has reached the agent.`
      })
    ),
    model: Schema.optionalKey(Model),
    mode: Schema.optionalKey(Mode),
    effort: Schema.optionalKey(Effort),
    outputSchema: Schema.optionalKey(
      Schema.Record(Schema.String, Schema.Json).annotate({
        description:
          "A JSON Schema (2020-12) that stands alone. The final text must match it as JSON: `structured` has the value, else `schema_mismatch` says why not."
      })
    ),
    timeoutS: Schema.optionalKey(TimeoutSeconds),
    queue: Schema.optionalKey(
      Schema.Boolean.annotate({ description: "Wait in line behind a running turn instead of being refused with 409." })
    ),
    wait: Schema.optionalKey(
      Schema.Boolean.annotate({ description: "`false`: answer 202 as soon as the turn is accepted. Default `true`." })
    ),
    cancelOnDisconnect: Schema.optionalKey(
      Schema.Boolean.annotate({
        description: "Interrupt this turn, or take it out of the line, if the connection goes away. Default `false`."
      })
    )
  },
  { example: { prompt: "Fix the failing test.", timeout_s: 600 } }
)

/** An event of a streamed turn: those of the session's stream, and last the turn's result or the problem in its place. */
export const TurnEvent = Schema.Union([
  Schema.Struct({ event: Schema.Literal("result"), data: Schema.fromJsonString(TurnResult) }),
  Schema.Struct({ event: Schema.Literal("error"), data: Schema.fromJsonString(StreamProblem) }),
  SessionEvent
])

const TurnIndex = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(1)).annotate({
  description: "The turn's index, from 1."
})

export const AcceptedTurn = wire(
  "AcceptedTurn",
  { ok: Ok, sessionId: Schema.String, turnIndex: Schema.Int },
  { description: "The turn was accepted, and goes on." }
).pipe(HttpApiSchema.status(202))

export const MessagePage = wire("MessagePage", { ok: Ok, messages: Schema.Array(Message), nextCursor: NextCursor })

export class TurnsGroup extends HttpApiGroup.make("turns")
  .add(
    HttpApiEndpoint.post("submit", "/sessions/:id/turn", {
      params: SessionParams,
      headers: IdempotencyHeaders,
      payload: SubmitTurn,
      success: [TurnResult, AcceptedTurn, FailedTurn, TimedOutTurn],
      error: [...badRequests, NotFoundProblem, ConflictProblem, GoneProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Hand the agent a prompt and get what came of it",
        description: `${lateDescription} With \`wait: false\` nothing is waited for. With \`Accept: text/event-stream\` the answer is the turn as it happens: each event with its sequence number as \`id\`, then \`event: result\` with the same body as the JSON answer, or \`event: error\` with a problem. A client that goes away does not stop its turn: the result stays in the ledger. A token that is revoked or replaced ends what it is read with within 5 s: the answer is then 401, or \`event: error\` with that problem.`,
        transform: withEventStream
      })
    ),
    HttpApiEndpoint.get("list", "/sessions/:id/turns", {
      params: SessionParams,
      query: PageQuery,
      success: wire("TurnPage", {
        ok: Ok,
        count: Schema.Int,
        turns: Schema.Array(StoredTurn),
        nextCursor: NextCursor
      }),
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Past turns with their events and messages, oldest first"),
    HttpApiEndpoint.get("get", "/sessions/:id/turns/:n", {
      params: { ...SessionParams, n: TurnIndex },
      success: StoredTurn,
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "One turn, with its events and messages"),
    HttpApiEndpoint.get("messages", "/sessions/:id/messages", {
      params: SessionParams,
      query: PageQuery,
      success: MessagePage,
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "The conversation so far in OpenAI's message shape, oldest first",
        description:
          "A page has the messages of whole turns: `limit` counts turns, and a page also ends when it has 4 MiB. Of the turn that runs it has what is complete by now."
      })
    ),
    HttpApiEndpoint.post("compact", "/sessions/:id/compact", {
      params: SessionParams,
      success: [TurnResult, FailedTurn, TimedOutTurn],
      error: [NotFoundProblem, ConflictProblem, GoneProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Have the agent make room in its context, as a turn of its own",
        description: `\`compacted\` says whether it happened, \`context\` what is left. 409 while a turn runs; 422 where the agent can't (\`capabilities.compact\` of \`GET /agents\`). ${lateDescription}`
      })
    )
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Turns of a session.") {}

/** Adds the second media type of the 200 response, which the endpoint's schema does not declare. */
function withEventStream(operation: Record<string, unknown>) {
  const responses = operation["responses"] as Record<string, { content: Record<string, unknown> }>
  const ok = responses["200"]
  if (ok === undefined) return operation
  const content = { ...ok.content, "text/event-stream": { schema: turnEvents } }
  return { ...operation, responses: { ...responses, 200: { ...ok, content } } }
}
