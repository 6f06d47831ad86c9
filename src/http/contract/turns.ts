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
  TurnIndex,
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
import { withTurnData } from "./eventStream.ts"
import { withLocation } from "./location.ts"
import { Interrupted, SessionEvent } from "./sessions.ts"
import { Ok, wire } from "./wire.ts"

/** Of a streamed turn: where its result can be read. In the contract, because the client reads it. */
export const turnPlaceHeader = "content-location"

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
        transform: withLocation(202, "The turn, relative to this request's address."),
        description: `${lateDescription} With \`wait: false\` nothing is waited for. A client that goes away does not stop its turn: the result stays in the ledger. A token that is revoked or replaced while the turn runs gets 401 within 5 s. With \`Accept: text/event-stream\` the answer is that of \`POST /sessions/{id}/turn/stream\`.`
      })
    ),
    HttpApiEndpoint.post("stream", "/sessions/:id/turn/stream", {
      params: SessionParams,
      headers: IdempotencyHeaders,
      payload: SubmitTurn,
      success: HttpApiSchema.StreamSse({ events: TurnEvent }),
      error: [...badRequests, NotFoundProblem, ConflictProblem, GoneProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Hand the agent a prompt and see the turn as it happens, as server-sent events",
        transform: withTurnData,
        description:
          "The same turn as `POST /sessions/{id}/turn`, which takes the same body and keys. Each event has its sequence number in the session as `id`; `event` is `message`, or the name of a message of Troupe's own, such as `state`. The last event has no `id`: `event: result` with the body that the JSON answer has, also where the turn failed (read its `ok`), or `event: error` with a problem. Then the stream ends. One that ends without either was cut: the turn goes on, and `GET /sessions/{id}/events` with the last `id` as `Last-Event-ID`, or the same request under its `Idempotency-Key`, has the rest. Send no request without a key a second time, as clients that reconnect by themselves do: that would be a second turn. A comment line comes every 15 s. The header `content-location` says which turn it is. `wait` has no meaning here. A token that is revoked or replaced ends the stream within 5 s, with `event: error`."
      })
    ),
    HttpApiEndpoint.get("list", "/sessions/:id/turns", {
      params: SessionParams,
      query: {
        ...PageQuery,
        after: Schema.optionalKey(
          TurnIndex.annotate({ description: "Only turns after this one. `cursor` counts where both are given." })
        )
      },
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
    HttpApiEndpoint.post("interrupt", "/sessions/:id/turns/:n/interrupt", {
      params: { ...SessionParams, n: TurnIndex },
      success: Interrupted,
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotate(
      OpenApi.Summary,
      "Stop this turn and no other, also where it waits in line; `interrupted` is false where it has ended"
    ),
    HttpApiEndpoint.get("messages", "/sessions/:id/messages", {
      params: SessionParams,
      query: {
        ...PageQuery,
        before: Schema.optionalKey(TurnIndex.annotate({ description: "Only messages of turns before this one." }))
      },
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
