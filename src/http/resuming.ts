/**
 * Streams of the typed client that outlive a connection: one that breaks, or that the server ends for its restart, is opened
 * again behind the last event that came. Events are read here and not by the generated client, which ends at a `retry:` line.
 */
import { Effect, Schema, Stream } from "effect"
import { Sse } from "effect/encoding"
import { HttpClientError, HttpClientResponse } from "effect/http"

/** Attempts in a row without an event between them, and the pause before each: about 40 s, as long as a restart takes. */
const attempts = 20
const pauseMillis = (failures: number) => Math.min(250 * 2 ** failures, 2_500)

/** The server sends a comment every 15 s. A connection without any is dead, though nobody has closed it. */
const silentFor = "50 seconds"

/** In bytes: a result repeats all events of its turn. */
const maxEventSize = 256 * 1024 * 1024

/** The server has ended a stream that was not at its end, and gives no further one. */
export class StreamLost extends Schema.TaggedError<StreamLost>()("StreamLost", {}) {
  readonly error = "stream_lost"
  readonly status = 503
  override get message() {
    return "The server ended the stream before its end, and gave nothing more in 40 s. Read on later, after the last event that came."
  }
}

/** The server-sent events of a response, decoded. */
export const eventsIn = <S extends Schema.ConstraintCodec<unknown, unknown, never, never>>(
  response: HttpClientResponse.HttpClientResponse,
  schema: S
) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return Stream.suspend(() => {
    let complete: Array<{ readonly id?: string | undefined; readonly event: string; readonly data: string }> = []
    const parser = Sse.makeParser(
      (event) => {
        if (event._tag === "Event") complete.push(event)
      },
      { maxEventSize }
    )
    return HttpClientResponse.stream(Effect.succeed(response)).pipe(
      Stream.timeout(silentFor),
      Stream.decodeText,
      Stream.mapEffect((text) => {
        complete = []
        const error = parser.feed(text)
        return error === undefined ? Effect.succeed(complete) : Effect.fail(error)
      }),
      Stream.flattenIterable,
      Stream.mapEffect((event) => decode(event))
    )
  })
}

/** A connection that broke or was not made, a server that is away for a moment, or the proxy in front of one. */
export const isPassing = (error: unknown): boolean => {
  if (HttpClientError.isHttpClientError(error)) {
    const { reason } = error
    if (reason._tag === "StatusCodeError") return [502, 503, 504].includes(reason.response.status)
    return reason._tag === "TransportError" || reason._tag === "DecodeError" || reason._tag === "EmptyBodyError"
  }
  return typeof error === "object" && error !== null && "_tag" in error && error._tag === "Busy"
}

/**
 * `connect` opens the stream where it has to go on; it is called again until `isOver`, which is asked after each event, and
 * with `null` at each end. A failure after which the stream can't go on is its own.
 */
export const resuming = <A, E, R, E2, R2>(options: {
  readonly connect: () => Stream.Stream<A, E, R>
  readonly isOver: (last: A | null) => Effect.Effect<boolean, E2, R2>
  readonly canGoOn: (error: E | E2) => boolean
}): Stream.Stream<A, E | E2 | StreamLost, R | R2> =>
  Stream.suspend(() => {
    let failures = 0
    let over = false
    const lookAgain = (why: E | E2 | StreamLost) =>
      Effect.suspend(() => {
        if (failures >= attempts) return Effect.fail(why)
        failures += 1
        return Effect.sleep(pauseMillis(failures))
      })
    const noteEnd = (event: A | null) =>
      Effect.map(options.isOver(event), (is) => {
        over ||= is
      })
    const once = Stream.suspend(() => {
      let broken: E | E2 | null = null
      return Stream.suspend(options.connect).pipe(
        Stream.tap((event) => {
          failures = 0
          return noteEnd(event)
        }),
        Stream.takeUntil(() => over),
        Stream.concat(Stream.fromEffectDrain(Effect.suspend(() => (over ? Effect.void : noteEnd(null))))),
        Stream.catchIf(options.canGoOn, (error) => {
          broken = error
          return Stream.empty
        }),
        Stream.concat(
          Stream.fromEffectDrain(Effect.suspend(() => (over ? Effect.void : lookAgain(broken ?? new StreamLost()))))
        )
      )
    })
    return Stream.forever(Stream.succeed(null)).pipe(
      Stream.takeWhile(() => !over),
      Stream.flatMap(() => once)
    )
  })
