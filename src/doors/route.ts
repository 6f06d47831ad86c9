/**
 * A route of a door: its caller is found as the API finds it, and gets the library's `Backend`; what it fails with becomes a
 * problem. The protocols' own packages take web requests and give web responses: `answerWith` stands between.
 */
import { Effect, Stream } from "effect"
import type { Scope } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import type { Backend } from "../backend/Backend.ts"
import type { AccessEnded } from "../http/accessEnds.ts"
import { AccessEnds, lookEveryMillis } from "../http/accessEnds.ts"
import { checkBody } from "../http/checkBody.ts"
import type { ProblemDetails } from "../http/contract/Problem.ts"
import { arrivalOf } from "../http/handlers/auth.ts"
import { bodyProblem } from "../http/problemOfCause.ts"
import { answeringRefusals } from "../http/problems.ts"
import { Streams } from "../http/Streams.ts"
import type { Endings } from "../http/Streams.ts"
import { Apps } from "../services/Apps.ts"
import { RequestOrigin } from "../services/requestOrigin.ts"
import type { Caller } from "../services/Sessions.ts"
import { Backends } from "./Backends.ts"

/** What a door gets of a request. */
export interface Arrival {
  readonly caller: Caller
  /** The library for this caller and no other. */
  readonly backend: Backend
  readonly request: HttpServerRequest.HttpServerRequest
  /** Fails where the caller's token was revoked or replaced: whatever lasts ends with it. */
  readonly accessEnds: Effect.Effect<never, AccessEnded>
  /** Succeeds when the server stops. */
  readonly closing: Effect.Effect<void>
  /** Sends events as the API's are sent: a reader that takes nothing for 30 s loses them. */
  readonly sendEvents: Streams["Service"]["respond"]
}

type Response = HttpServerResponse.HttpServerResponse

/**
 * `make` runs once, when the server is built; what it gives answers each request of the path. `refusalAs`: a refusal in the
 * protocol's own shape, where it is no fault of ours; else, and for `null`, it is a problem as the API has it.
 */
export const route = <R>(
  method: "GET" | "POST" | "DELETE" | "*",
  path: `/${string}`,
  make: Effect.Effect<(arrival: Arrival) => Effect.Effect<Response, ProblemDetails>, never, R | Scope.Scope>,
  refusalAs?: (refusal: ProblemDetails) => globalThis.Response
) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const apps = yield* Apps
      const backends = yield* Backends
      const { closing, respond: sendEvents } = yield* Streams
      const answer = yield* make
      yield* router.add(method, path, (request) =>
        Effect.gen(function* () {
          const { accessEnds, caller } = yield* arrivalOf(apps, request)
          const backend = backends.of(caller, yield* RequestOrigin)
          return yield* answer({
            caller,
            backend,
            request,
            accessEnds: Effect.delay(accessEnds, lookEveryMillis),
            closing,
            sendEvents
          }).pipe(Effect.provideService(AccessEnds, accessEnds))
        }).pipe(
          Effect.catchDefect((defect) =>
            Effect.flatMap(HttpIncomingMessage.MaxBodySize, (most) => {
              const problem = bodyProblem(defect, Number(most ?? Infinity))
              return problem === undefined ? Effect.die(defect) : Effect.fail(problem)
            })
          ),
          Effect.catch((refusal) =>
            refusalAs === undefined || "cause" in refusal
              ? Effect.fail(refusal)
              : Effect.succeed(webResponse(refusalAs(refusal), Effect.never))
          ),
          answeringRefusals
        )
      )
    })
  )

export interface AnswerOptions {
  /** How the protocol has it told that events end before their time; absent: by an event `error`, as the API has it. */
  readonly endings?: Endings
  /**
   * For a protocol that answers on two streams at once: its clients take what comes first on either for what was first, so
   * each part goes out as it comes. Called with each. Who takes nothing is its door's to find.
   */
  readonly onPart?: () => void
}

/**
 * The answer of a handler of web requests. One that is waited for fails where the caller's access ends; a body that lasts ends
 * with it, and when the server stops.
 */
export const answerWith = Effect.fnUntraced(function* (
  { accessEnds, closing, request, sendEvents }: Arrival,
  handle: (request: globalThis.Request) => Promise<globalThis.Response>,
  { endings, onPart }: AnswerOptions = {}
) {
  if (!webMethods.has(request.method)) return yield* Effect.fail(notAllowed)
  yield* checkBody(request, { isJson: true })
  const takesBody = request.method !== "GET" && request.method !== "HEAD"
  const body = takesBody ? yield* Effect.orDie(request.arrayBuffer) : undefined
  const url = webUrlOf(request.url)
  const answered = Effect.promise((signal) =>
    handle(
      new globalThis.Request(url, { method: request.method, headers: request.headers, body: body ?? null, signal })
    )
  )
  const response = yield* Effect.raceFirst(answered, accessEnds)
  const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true
  if (!isEvents || onPart !== undefined) {
    return webResponse(response, Effect.raceFirst(Effect.ignore(accessEnds), closing), onPart)
  }
  const events = yield* sendEvents(request, Stream.decodeText(partsOf(response)), { endings })
  return HttpServerResponse.setHeaders(events, headersOf(response))
})

/** A web request can't have others: `TRACE` and what no protocol here has. */
const webMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

const notAllowed = {
  code: "method_not_allowed",
  status: 405,
  detail: `This path takes no other methods than ${[...webMethods].join(", ")}.`
} as const satisfies ProblemDetails

/** With a host of our own: clients send what is none, in `Host` or in an absolute address, and no protocol here needs theirs. */
const webUrlOf = (url: string): URL => new URL(url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, ""), "http://troupe")

const headersOf = (response: globalThis.Response): Readonly<Record<string, string>> => {
  // The connection is the server's, and so is the form of what is sent.
  const { connection: _, "content-type": __, ...headers } = Object.fromEntries(response.headers)
  return { ...headers, "cache-control": "no-store, no-transform", "x-accel-buffering": "no" }
}

const partsOf = ({ body }: globalThis.Response) =>
  body === null
    ? Stream.empty
    : Stream.orDie(
        Stream.fromReadableStream({
          evaluate: () => body as ReadableStream<Uint8Array>,
          onError: (error) => error
        })
      )

/** `ends` cuts it off. */
const webResponse = (
  response: globalThis.Response,
  ends: Effect.Effect<void>,
  onPart: () => void = () => {}
): Response => {
  const { status } = response
  const headers = headersOf(response)
  if (response.body === null) return HttpServerResponse.empty({ status, headers })
  const contentType = response.headers.get("content-type")
  const parts = Stream.tap(partsOf(response), () => Effect.sync(onPart))
  // A first comment makes the headers of events go out at once: clients wait for them.
  const isEvents = contentType?.startsWith("text/event-stream") === true
  return HttpServerResponse.stream(
    Stream.interruptWhen(isEvents ? Stream.concat(Stream.succeed(comment), parts) : parts, ends),
    {
      status,
      headers,
      ...(contentType === null ? {} : { contentType })
    }
  )
}

const comment = new TextEncoder().encode(": troupe\n\n")
