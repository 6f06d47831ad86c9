/** The streams of the typed client: a session's events and a turn as it happens, which go on where a connection breaks. */
import { Effect, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { HttpClientResponse } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { placeOf } from "../domain/events/StreamedMessage.ts"
import type { StreamedMessage } from "../domain/events/StreamedMessage.ts"
import { Api } from "./Api.ts"
import { StreamProblem } from "./contract/Problem.ts"
import { SessionEvent as SessionEventOnTheWire } from "./contract/sessions.ts"
import { SubmitTurn, TurnEvent as TurnEventSchema, turnPlaceHeader } from "./contract/turns.ts"
import { identified, make } from "./clientRequests.ts"
import type { Client, ClientOptions } from "./clientRequests.ts"
import { eventsIn, isPassing, resuming } from "./resuming.ts"

/** An event of a session: `seq` is its number, `event` is `message` or the name of a message of Troupe's own. */
export interface SessionEvent {
  readonly seq: number
  readonly event: string
  readonly message: StreamedMessage
}

/** The problem with which the server ended a stream. */
export class StreamFailed extends Schema.TaggedError<StreamFailed>()("StreamFailed", {
  error: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  requestId: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

/**
 * All that happens in a session after the event with that number, until it is closed; with `follow: false`, what has happened
 * by now. A connection that breaks is opened again behind the last event that came, without a gap or a repeat; one that can't
 * be had again for 40 s is a failure.
 */
export const events = (
  options: ClientOptions,
  session: string,
  /** `turn`: only what happens in that turn, to its end. */
  from: { readonly after?: number; readonly follow?: boolean; readonly turn?: number } = {}
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const client = identified(options)(yield* HttpClient.HttpClient)
      const api = yield* make(options)
      const { follow = true, turn } = from
      let { after } = from
      let connected = false
      /** A stream that has ended was at its end, or was cut. */
      const isOver =
        turn === undefined
          ? Effect.map(api.sessions.get({ params: { id: session } }), ({ state }) => state === "closed")
          : Effect.map(api.turns.get({ params: { id: session, n: turn } }), ({ endedAt }) => endedAt !== null)
      return resuming({
        connect: () =>
          eventsAfter(client, session, { after, turn, follow }, () => (connected = true)).pipe(
            Stream.tap(({ seq }) => Effect.sync(() => (after = seq)))
          ),
        isOver: (last) =>
          last !== null
            ? Effect.succeed(turn === undefined ? isClosing(last.message) : isTurnEnd(last.message))
            : follow
              ? isOver
              : Effect.succeed(true),
        canGoOn: (error) => connected && isPassing(error)
      })
    })
  )

const isClosing = (message: StreamedMessage) => message.method === "_troupe/state" && message.params["to"] === "closed"

const isTurnEnd = (message: StreamedMessage) => message.method === "_troupe/turn" && message.params["phase"] === "ended"

/** What one connection brings of a session's events, or of a turn's. */
const eventsAfter = (
  client: HttpClient.HttpClient,
  session: string,
  from: {
    readonly after: number | undefined
    readonly turn?: number | undefined
    readonly follow?: boolean | undefined
  },
  onOpen: () => void
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const params = Object.entries(from).filter(([, value]) => value !== undefined)
      const request = HttpClientRequest.get(`/sessions/${encodeURIComponent(session)}/events`).pipe(
        HttpClientRequest.setUrlParams(params.map(([name, value]) => [name, String(value)] as const)),
        HttpClientRequest.setHeader("accept", "text/event-stream")
      )
      const response = yield* client.execute(request)
      if (response.status !== 200) {
        return yield* noStream(response, HttpApiClient.decodeResponse(Api, { group: "sessions", endpoint: "get" }))
      }
      onOpen()
      return eventsIn(response, EventOrProblem).pipe(
        Stream.mapEffect((event) =>
          event.event === "error"
            ? Effect.fail(failedBy((event as typeof ProblemEvent.Type).data))
            : Effect.succeed(sessionEventOf(event as typeof SessionEventOnTheWire.Type))
        )
      )
    })
  )

const ProblemEvent = Schema.Struct({ event: Schema.Literal("error"), data: Schema.fromJsonString(StreamProblem) })
const EventOrProblem = Schema.Union([ProblemEvent, SessionEventOnTheWire])

const failedBy = ({ detail, error, requestId, status }: typeof StreamProblem.Type) =>
  new StreamFailed({ error, status, detail, requestId })

const sessionEventOf = ({ data, event, id }: typeof SessionEventOnTheWire.Type): SessionEvent => ({
  seq: Number(id),
  event,
  message: data
})

/** The status is not 200, so decoding fails with the problem of its status. */
const noStream = <A, E, R>(
  response: HttpClientResponse.HttpClientResponse,
  decode: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(decode(response), (decoded) =>
    Effect.die(new Error(`The server answered ${response.status}: ${JSON.stringify(decoded)}`))
  )

/**
 * A turn as it happens: its events, then `{ event: "result" }` with its outcome, which is the last. Fails with the problem
 * that the server answered instead. Leaving the stream does not stop the turn unless it asked for `cancelOnDisconnect`.
 *
 * A connection that breaks is opened again behind the last event that came. Before the first event nobody can tell whether
 * the turn was taken, so it is sent again only under an `idempotencyKey`, by which it is taken once.
 */
export const streamTurn = (
  options: ClientOptions,
  session: string,
  turn: typeof SubmitTurn.Type,
  idempotencyKey?: string,
  /** Called with the turn's index as soon as the server has said it. */
  onAccepted: (index: number) => void = () => {}
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const client = identified(options)(yield* HttpClient.HttpClient)
      const api = yield* make(options)
      const submitted = submittedTurn(client, session, yield* encodeTurn(turn), idempotencyKey, onAccepted)
      let last: Place | null = null
      const connect = (): Stream.Stream<TurnEvent, ConnectError> =>
        last === null ? submitted : restOfTurn(client, api, session, last)
      return resuming({
        connect: () => Stream.tap(connect(), (event) => Effect.sync(() => (last = placeAfter(event) ?? last))),
        isOver: (event) => Effect.succeed(event?.event === "result" || event?.event === "error"),
        canGoOn: (error) => (last === null ? idempotencyKey !== undefined && isBroken(error) : isPassing(error))
      })
    })
  )

type TurnEvent = typeof TurnEventSchema.Type
type ConnectError = Stream.Error<ReturnType<typeof submittedTurn>> | Stream.Error<ReturnType<typeof restOfTurn>>

/** How far a turn was read: its last event, and whether that is the end of its events. */
interface Place {
  readonly seq: number
  readonly index: number
  readonly isEnd: boolean
}

const placeAfter = (event: TurnEvent): Place | null => {
  if (!("id" in event) || event.id === undefined) return null
  const message = event.data as StreamedMessage
  const { turn } = placeOf(message)
  return turn === null ? null : { seq: Number(event.id), index: turn, isEnd: message.method === undefined }
}

/** A refusal is an answer, also where it is for a moment only. */
const isBroken = (error: unknown) => isPassing(error) && (error as { readonly _tag: string })._tag !== "Busy"

const encodeTurn = Schema.encodeEffect(Schema.toCodecJson(SubmitTurn))

const submittedTurn = (
  client: HttpClient.HttpClient,
  session: string,
  payload: unknown,
  key: string | undefined,
  onAccepted: (index: number) => void
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const request = HttpClientRequest.post(`/sessions/${encodeURIComponent(session)}/turn`).pipe(
        HttpClientRequest.bodyJsonUnsafe(payload),
        HttpClientRequest.setHeaders({
          accept: "text/event-stream",
          ...(key === undefined ? {} : { "idempotency-key": key })
        })
      )
      const response = yield* client.execute(request)
      if (response.status === 200) {
        const [, index] = /\bturns\/(\d+)$/.exec(response.headers[turnPlaceHeader] ?? "") ?? []
        if (index !== undefined) onAccepted(Number(index))
        return eventsIn(response, TurnEventSchema)
      }
      return yield* noStream(response, HttpApiClient.decodeResponse(Api, { group: "turns", endpoint: "submit" }))
    })
  )

/** Of a turn that is known: its events after one of them, from the session's stream, and its result, which is stored by then. */
const restOfTurn = (client: HttpClient.HttpClient, api: Client, session: string, { index, isEnd, seq }: Place) => {
  const result = Effect.map(
    api.turns.get({ params: { id: session, n: index } }),
    ({ endedAt: _ended, kind: _kind, prompt: _prompt, status: _status, submittedAt: _submitted, ...turn }) =>
      ({ event: "result", data: turn as TurnOutcome }) as const
  )
  if (isEnd) return Stream.fromEffect(result)
  return eventsAfter(client, session, { after: seq }, () => {}).pipe(
    Stream.filter(({ message }) => placeOf(message).turn === index && message.method !== "_troupe/turn"),
    Stream.takeUntil(({ message }) => message.method === undefined),
    Stream.map(({ event, message, seq }) => ({ id: String(seq), event, data: message })),
    Stream.concat(Stream.fromEffect(result))
  )
}

/** A turn's outcome as the client decodes it: the keys of the library's `TurnOutcome`. */
export type TurnOutcome = Extract<TurnEvent, { readonly event: "result" }>["data"]
