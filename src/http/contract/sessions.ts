/** The contract of sessions: create, look, interrupt, close, and the stream of all that happens in one. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import { McpServerOrName } from "../../domain/McpServer.ts"
import { Meta, Questions, SessionState } from "../../domain/Session.ts"
import { Permissions } from "./approvals.ts"
import { ChangeSession, CreateSession, ForkSession } from "./sessionRequests.ts"
import { Authorized } from "./Auth.ts"
import { IdempotencyHeaders, Money, NextCursor, PageQuery, SessionParams, TurnIndex, Usage } from "./bodies.ts"
import {
  badRequests,
  ConflictProblem,
  ForbiddenProblem,
  GoneProblem,
  NotFoundProblem,
  UnprocessableProblem,
  ownFaults
} from "./Problem.ts"
import { withSessionData } from "./eventStream.ts"
import { withLocation } from "./location.ts"
import { Instant, Ok, wire } from "./wire.ts"

const Choice = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: Schema.optionalKey(Schema.String)
})

export const CreatedSession = wire("CreatedSession", {
  ok: Ok,
  sessionId: Schema.String,
  agent: Schema.String,
  state: SessionState,
  createdAt: Instant,
  meta: Meta
})

/** The fields of a session that its app sees. */
export const sessionFields = {
  sessionId: Schema.String,
  agent: Schema.String,
  title: Schema.NullOr(Schema.String).annotate({
    description: "`title` of its `meta`, else how its first prompt begins; null before that. In one line, and cut."
  }),
  state: SessionState,
  turnCount: Schema.Int,
  createdAt: Instant,
  lastTurnAt: Schema.NullOr(Instant),
  closedAt: Schema.NullOr(Instant),
  cwd: Schema.String.annotate({ description: "The directory that its agent works in." }),
  model: Schema.NullOr(Schema.String).annotate({ description: "null: the agent's own default." }),
  mode: Schema.NullOr(Schema.String),
  effort: Schema.NullOr(Schema.String),
  permissions: Permissions,
  choices: Schema.NullOr(
    wire(
      "Choices",
      { models: Schema.Array(Choice), modes: Schema.Array(Choice), efforts: Schema.Array(Choice) },
      { description: "What its agent offers for model, mode and effort; null while it is not up." }
    )
  ),
  mcpServers: Schema.Array(McpServerOrName).annotate({ description: "Without the values of variables and headers." }),
  additionalDirectories: Schema.Array(Schema.String),
  env: Schema.Array(Schema.String).annotate({ description: "The names of the variables that it set." }),
  questions: Questions,
  threadId: Schema.NullOr(Schema.String).annotate({
    description: "The agent's own id of the conversation; null before its first start."
  }),
  meta: Meta,
  process: wire("Process", {
    state: Schema.Literals(["none", "starting", "up", "backing_off", "parked", "stopping"]),
    pid: Schema.NullOr(Schema.Int),
    node: Schema.optionalKey(Schema.String).annotate({
      description: "The name of the node that it runs on. Absent: none runs, or Troupe is on one machine."
    }),
    restarts: Schema.Int,
    configured: Schema.NullOr(Schema.Record(Schema.String, Schema.Json)).annotate({
      description:
        "How its agent was configured for this session, in the words of its protocol (mode, sandbox, approvals, model, …); null while it is not up."
    }),
    use: Schema.optionalKey(
      wire(
        "ProcessUse",
        {
          rssBytes: Schema.Int.annotate({
            description: "Memory in RAM, summed up; shared pages count for each process."
          }),
          processes: Schema.Int.annotate({ description: "Its agent and all descendants." }),
          at: Instant
        },
        { description: "What its processes use together. Absent: it has none, or its operator limits neither." }
      )
    ),
    unseen: Schema.optionalKey(
      wire(
        "Unseen",
        {
          node: Schema.NullOr(Schema.String).annotate({ description: "The node that has the session." }),
          since: Schema.NullOr(Instant).annotate({ description: "Its last sign of life." })
        },
        {
          description:
            "The node that has the session does not answer: of this process only `state` and `restarts` are known, as they were stored. Absent: all is."
        }
      )
    ),
    exceeded: Schema.optionalKey(
      wire(
        "ExceededLimit",
        {
          limit: Schema.Literals(["rss", "descendants"]),
          message: Schema.String,
          at: Instant,
          generation: Schema.Int.annotate({ description: "Which of the session's processes it was, counted from 1." })
        },
        {
          description:
            "The limit of the operator's that it has exceeded last, since Troupe was started; absent: none. The process was ended: between turns, or with the turn, which failed with class `limit`."
        }
      )
    )
  }),
  parked: Schema.NullOr(
    wire("Parked", { reason: Schema.String, until: Instant }, { description: "Given up for now: why, and until when." })
  ),
  usage: Usage,
  cost: Schema.NullOr(Money).annotate({ description: "Of its turns so far; null where its agent does not tell." })
}
export const Session = wire("Session", { ok: Ok, ...sessionFields })
export const SessionPage = wire("SessionPage", {
  ok: Ok,
  count: Schema.Int.annotate({ description: "How many match in all." }),
  sessions: Schema.Array(wire("SessionOfPage", sessionFields)),
  nextCursor: NextCursor
})

export const Interrupted = wire("Interrupted", { ok: Ok, interrupted: Schema.Boolean })

export const SessionQuery = {
  ...PageQuery,
  state: Schema.optionalKey(Schema.Literals([...SessionState.literals, "open"]))
}

/** `id` is the event's sequence number; `event` is `message`, or the name of a message of Troupe's own, such as `state`. */
export const SessionEvent = Schema.Struct({
  id: Schema.optional(Schema.String),
  event: Schema.String,
  data: Schema.fromJsonString(StreamedMessage)
})

const withSessionLocation = withLocation(200, "The session, relative to this request's address.")

export class SessionsGroup extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.post("create", "/sessions", {
      headers: IdempotencyHeaders,
      payload: CreateSession,
      success: CreatedSession,
      error: [...badRequests, ForbiddenProblem, NotFoundProblem, ConflictProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(OpenApi.annotations({ summary: "Open a session", transform: withSessionLocation })),
    HttpApiEndpoint.post("fork", "/sessions/:id/fork", {
      params: SessionParams,
      headers: IdempotencyHeaders,
      payload: ForkSession,
      success: CreatedSession,
      error: [...badRequests, ForbiddenProblem, NotFoundProblem, ConflictProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Open a session that begins with a copy of this one's conversation",
        transform: withSessionLocation,
        description:
          "Of the same agent, in the same directory, with this one's settings where the request has none. A directory of Troupe's own is copied as it is now. 422 where the agent can't (`capabilities.fork` of `GET /agents`), or not at that turn. A closed session can be forked until it is deleted."
      })
    ),
    HttpApiEndpoint.get("list", "/sessions", {
      query: SessionQuery,
      success: SessionPage,
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "The app's sessions, newest first, closed ones too until they are deleted"),
    HttpApiEndpoint.get("get", "/sessions/:id", {
      params: SessionParams,
      success: Session,
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "One session"),
    HttpApiEndpoint.patch("change", "/sessions/:id", {
      params: SessionParams,
      payload: ChangeSession,
      success: Session,
      error: [
        ...badRequests,
        ForbiddenProblem,
        NotFoundProblem,
        ConflictProblem,
        GoneProblem,
        UnprocessableProblem,
        ...ownFaults
      ]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Change its permissions or its model, for its next turns, or its agent before the first",
        description:
          "What is left out stays as it is. A turn that has begun goes on with the settings that it began with; then the agent's process is retired, and the next one takes the conversation up with the new settings. In the audit trail."
      })
    ),
    HttpApiEndpoint.delete("close", "/sessions/:id", {
      params: SessionParams,
      success: wire("ClosedSession", { ok: Ok, alreadyClosed: Schema.optionalKey(Schema.Literal(true)) }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Close it; a running turn is interrupted first and recorded"),
    HttpApiEndpoint.post("interrupt", "/sessions/:id/interrupt", {
      params: SessionParams,
      success: Interrupted,
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Stop the running turn; `interrupted` is false where none runs"),
    HttpApiEndpoint.post("steer", "/sessions/:id/steer", {
      params: SessionParams,
      payload: wire("Steer", { text: Schema.NonEmptyString }, { example: { text: "Leave the tests alone." } }),
      success: wire("Steered", { ok: Ok, steered: Schema.Literal(true) }),
      error: [...badRequests, NotFoundProblem, ConflictProblem, GoneProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Add words to the running turn",
        description:
          "Answered when the agent has taken them; they are among the turn's messages. 409 `no_turn` where nothing runs, 422 where the agent can't (`capabilities.steer` of `GET /agents`), or not in this moment."
      })
    ),
    HttpApiEndpoint.get("events", "/sessions/:id/events", {
      params: SessionParams,
      query: {
        after: Schema.optionalKey(
          Schema.NonEmptyString.annotate({
            description:
              "The last sequence number that was seen; else from the first. Negative: the stream begins so many events before its end, with the last one at -1."
          })
        ),
        turn: Schema.optionalKey(
          TurnIndex.annotate({
            description: "Only what happened in this turn, to its end. The stream ends with its last event then."
          })
        ),
        lastEventId: Schema.optionalKey(
          Schema.String.annotate({
            description: "The same as `Last-Event-ID`: some clients of server-sent events send it here."
          })
        ),
        follow: Schema.optionalKey(
          Schema.Literals(["true", "false"]).annotate({
            description:
              "`false`: the stream ends with what is stored now. Default: it goes on until the session is closed."
          })
        )
      },
      headers: { "last-event-id": Schema.optionalKey(Schema.String) },
      success: HttpApiSchema.StreamSse({ events: SessionEvent }),
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "All that happens in the session, as server-sent events",
        transform: withSessionData,
        description:
          "Replays from the ledger what came after `Last-Event-ID` (or `after`), without a gap or a repeat, then goes on live until the session is closed. `_troupe/turn` says of each turn when it was submitted, started and ended, so that this stream alone has the whole conversation; `_meta` of each event has its turn and its time. A comment line comes every 15 s. The stream of a session ends with it: the last event is `event: state` whose `params.to` is `closed`, and a reader that has seen it need not come back (a browser's `EventSource` has to be closed then, as it connects again by itself). A stream that ends without it was cut, because the server stops, or because its reader fell too far behind: connect again with the last `id` as `Last-Event-ID`. Where the request accepts `text/event-stream`, as `EventSource` says, `retry` gives the time to wait before that. `event: error` ends the stream of a token that was revoked or replaced, with that problem."
      })
    )
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Sessions of the app whose token came with the request.") {}
