/**
 * Server-sent events: texts written in batches, a comment every 15 s, and an explicit end.
 *
 * The source is paused for a slow reader: at most a few batches are buffered here, and the rest is not read yet. A reader
 * that takes nothing for 30 s loses its connection and can resume with the last id it saw.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Context, Deferred, Duration, Effect, Exit, Layer, Queue, Stream } from "effect"
import type { Cause } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { IncomingMessage } from "node:http"
import { gzipped, takesGzip } from "./gzipped.ts"
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import { streamedJson } from "../domain/events/StreamedMessage.ts"
import type { StreamedEvent } from "../domain/events/StreamedMessage.ts"
import type { StoredEvent } from "../domain/Session.ts"
import type { ProblemDetails } from "./contract/Problem.ts"
import { AccessEnds, lookEveryMillis } from "./accessEnds.ts"
import * as LateAnswer from "./lateAnswer.ts"
import { isClientGone, problemTextOf } from "./problemOfCause.ts"
import { RequestId } from "./RequestId.ts"
import { noReaderYet, readerCame, readerLeft } from "./streamMetrics.ts"

const commentEvery = "15 seconds"
/** How long a reader may take nothing of what is there for it. */
export const StalledAfter = Context.Reference<Duration.Input>("troupe/http/StalledAfter", {
  defaultValue: () => "30 seconds"
})
/** Batches that wait for the socket, each of about `batchChars` at most. */
const queueCapacity = 8
const batchChars = 64 * 1024

/** One event as text; `id` is where a reader resumes. */
export const eventText = ({ message, seq }: StreamedEvent): string =>
  textOf(seq, message as unknown as AcpMessage, JSON.stringify(message))

/** The same of an event as it is stored. */
export const storedEventText = (event: StoredEvent): string => textOf(event.seq, event.message, streamedJson(event))

const textOf = (seq: number, message: AcpMessage, json: string): string =>
  `id: ${seq}\nevent: ${isAgentMessage(message) ? "message" : message.method.slice("_troupe/".length)}\ndata: ${json}\n\n`

/** An event that no reader resumes at: `result`, `error`. */
export const lastText = (event: string, json: string): string => `event: ${event}\ndata: ${json}\n\n`

export interface StreamOptions {
  readonly onClientGone?: Effect.Effect<void> | undefined
  /** Says when a reader that was cut off may come back (`retry:`). A turn's reader may not: it would submit another. */
  readonly isResumable?: boolean
  /** Compressed where the client takes that: for what begins with a long history. Each write is still sent at once. */
  readonly isCompressed?: boolean
  /** How another protocol than ours has it told that its events end before their time. */
  readonly endings?: Endings | undefined
}

export interface Endings {
  /** Of a problem, which is JSON. */
  readonly failed: (problem: string) => string
  /** The server stops. */
  readonly closing: string
}

const ownEndings: Endings = { failed: (json) => lastText("error", json), closing: "" }

export class Streams extends Context.Service<
  Streams,
  {
    /**
     * `texts` are events as they are sent; a failure becomes `event: error` with its problem, and so does the end of the
     * caller's access (`AccessEnds`).
     */
    readonly respond: <E extends ProblemDetails>(
      request: HttpServerRequest.HttpServerRequest,
      texts: Stream.Stream<string, E>,
      options?: StreamOptions
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse>
    /** The answer of a work that may take long, as JSON; `lateAnswer.ts` has what is sent meanwhile. */
    readonly answer: LateAnswer.LateAnswer
    /** Ends all streams, completely written. Called when the server stops. */
    readonly close: Effect.Effect<void>
    /** Waits until the server stops, for routes that send in another way than by `respond`. */
    readonly closing: Effect.Effect<void>
  }
>()("troupe/http/Streams") {
  static readonly layer = Layer.effect(
    Streams,
    Effect.gen(function* () {
      const closing = yield* Deferred.make<void>()
      const stalledAfter = yield* StalledAfter
      yield* noReaderYet

      return Streams.of({
        close: Effect.asVoid(Deferred.succeed(closing, undefined)),
        closing: Deferred.await(closing),
        answer: yield* LateAnswer.make(yield* Effect.scope, Deferred.await(closing)),
        respond: (request, texts, options) =>
          Effect.withFiber((fiber) => {
            const authorized = Stream.interruptWhen(texts, Effect.delay(fiber.getRef(AccessEnds), lookEveryMillis))
            const first = options?.isResumable === true ? retryAndComment : comment
            const end = { ...(options?.endings ?? ownEndings), stopped: Deferred.await(closing), stalledAfter }
            const body = bodyOf(request, first, authorized, fiber.getRef(RequestId), end)
            const onClientGone = options?.onClientGone
            const compresses = options?.isCompressed === true && takesGzip(request)
            const sent = compresses ? gzipped(body) : body
            return Effect.succeed(
              HttpServerResponse.stream(
                Stream.onExit(Stream.onStart(sent, readerCame), (exit) =>
                  onClientGone !== undefined && Exit.isFailure(exit) && isClientGone(exit.cause)
                    ? Effect.andThen(readerLeft, onClientGone)
                    : readerLeft
                ),
                {
                  contentType: "text/event-stream; charset=utf-8",
                  headers: compresses ? { ...streamHeaders, ...gzipHeaders } : streamHeaders
                }
              )
            )
          })
      })
    })
  )
}

interface Ends extends Endings {
  /** Waits until the server stops. */
  readonly stopped: Effect.Effect<void>
  readonly stalledAfter: Duration.Input
}

const streamHeaders = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" }

const gzipHeaders = { "content-encoding": "gzip", vary: "accept-encoding" }

const bodyOf = <E extends ProblemDetails>(
  request: HttpServerRequest.HttpServerRequest,
  first: Uint8Array,
  texts: Stream.Stream<string, E>,
  requestId: string,
  { closing, failed, stalledAfter, stopped }: Ends
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<Uint8Array, Cause.Done>(queueCapacity)
      // A first comment makes the headers go out at once, so that a proxy sees a response.
      Queue.offerUnsafe(queue, first)

      // What is left when the last text is written has nobody here who waits: the socket's own timer counts how much it takes.
      if (request.source instanceof IncomingMessage) {
        const response = NodeHttpServerRequest.toServerResponse(request)
        response.setTimeout(Duration.toMillis(stalledAfter), () => {
          if (response.writableLength > 0) response.destroy()
        })
      }
      const dropReader = Effect.andThen(
        Effect.logInfo("A reader of events took nothing for too long and lost its stream"),
        // A request of a fetch-style handler has no connection of ours: its body ends.
        request.source instanceof IncomingMessage
          ? Effect.sync(() => void NodeHttpServerRequest.toServerResponse(request).destroy())
          : Effect.asVoid(Queue.end(queue))
      )
      const write = (text: string): Effect.Effect<void> => {
        const bytes = encoder.encode(text)
        if (Queue.offerUnsafe(queue, bytes)) return Effect.void
        return Queue.offer(queue, bytes).pipe(
          Effect.timeoutOrElse({ duration: stalledAfter, orElse: () => dropReader }),
          Effect.asVoid
        )
      }

      yield* Stream.runForEachArray(texts, (batch) => {
        if (batch.length === 1) return write(batch[0])
        const writes = batchesOf(batch).map(write)
        return writes.length === 1 ? writes[0]! : Effect.all(writes, { discard: true })
      }).pipe(
        Effect.raceFirst(
          closing === ""
            ? stopped
            : Effect.andThen(
                stopped,
                Effect.suspend(() => write(closing))
              )
        ),
        Effect.catchCause((cause) => Effect.flatMap(problemTextOf(cause, requestId), (json) => write(failed(json)))),
        Effect.ensuring(Queue.end(queue)),
        Effect.annotateLogs("request_id", requestId),
        Effect.forkScoped
      )
      yield* Effect.sync(() => Queue.offerUnsafe(queue, comment)).pipe(
        Effect.delay(commentEvery),
        Effect.forever,
        Effect.forkScoped
      )
      return Stream.fromQueue(queue)
    })
  )

const encoder = new TextEncoder()
const comment = encoder.encode(": troupe\n\n")
/** A server that is started again is back by then. */
const retryMillis = 2_000
const retryAndComment = encoder.encode(`: troupe\nretry: ${retryMillis}\n\n`)

/** Joins texts up to `batchChars`, so that a burst of small events is one write. */
const batchesOf = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const batches: Array<string> = []
  let batch = ""
  for (const text of texts) {
    if (batch.length > 0 && batch.length + text.length > batchChars) {
      batches.push(batch)
      batch = ""
    }
    batch += text
  }
  batches.push(batch)
  return batches
}
