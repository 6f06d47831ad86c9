/**
 * A route of the dashboard's API: the caller is authenticated before its handler runs, what it returns is a DTO of
 * the contract, and what it fails with becomes a problem as everywhere.
 *
 * A file of routes is a layer:
 *
 *     export const layer = routes(
 *       Effect.gen(function* () {
 *         const inspection = yield* Inspection
 *         return [
 *           get("/sessions/:id", Effect.fnUntraced(function* ({ caller, params }) {
 *             return { ok: true, … } satisfies Detail
 *           })),
 *           get("/sessions/:id/stream", ({ follow }) => follow(texts))
 *         ]
 *       })
 *     )
 */
import { Effect, Schema } from "effect"
import type { Stream } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import type { Caller } from "../../services/Sessions.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { schemaProblem, unknownMember } from "../../domain/schemaProblem.ts"
import { textProblem } from "../../domain/storable.ts"
import { AccessEnds, accessEnds } from "../../http/accessEnds.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { checkBody } from "../../http/checkBody.ts"
import { gzippedText, takesGzip } from "../../http/gzipped.ts"
import { unsupportedMedia } from "../../http/problemOfCause.ts"
import { answeringRefusals } from "../../http/problems.ts"
import { Streams } from "../../http/Streams.ts"
import type { StreamOptions } from "../../http/Streams.ts"
import { Access } from "./Access.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** What a handler gets of a request. */
export interface RouteContext {
  readonly caller: Caller
  readonly request: Request
  /** Of the path, decoded and not validated. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  /** Answers with server-sent events until they end, or the caller's access does (`event: error`, as a problem). */
  readonly follow: <E extends ProblemDetails>(
    texts: Stream.Stream<string, E>,
    options?: Pick<StreamOptions, "isCompressed">
  ) => Effect.Effect<Response>
}

/** A body for `JSON.stringify`, or a whole response. */
type Answer = object | Response

export interface InspectRoute {
  readonly method: "GET" | "POST"
  readonly path: `/${string}`
  /** The parameters of its query: another one is refused. */
  readonly query: ReadonlyArray<string>
  /** Those of them that may come several times. */
  readonly lists: ReadonlyArray<string>
  readonly takesBody: boolean
  readonly handle: (context: RouteContext) => Effect.Effect<Answer, ProblemDetails>
}

/** `query`: the names of its parameters; `lists`: of those that may come several times. */
export const get = (
  path: InspectRoute["path"],
  handle: InspectRoute["handle"],
  { lists = [], query = [] }: Partial<Pick<InspectRoute, "lists" | "query">> = {}
): InspectRoute => ({ method: "GET", path, query, lists, takesBody: false, handle })

/** A body is read by the handler, with `bodyOf`. */
export const post = (
  path: InspectRoute["path"],
  handle: InspectRoute["handle"],
  { takesBody = false }: { readonly takesBody?: boolean } = {}
): InspectRoute => ({ method: "POST", path, query: [], lists: [], takesBody, handle })

/** Adds the routes under `/inspect/api`, for authenticated callers. */
export const routes = <E, R>(make: Effect.Effect<ReadonlyArray<InspectRoute>, E, R>) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const access = yield* Access
      const streams = yield* Streams
      for (const { handle, lists, method, path, query: parameters, takesBody } of yield* make) {
        yield* router.add(method, `/inspect/api${path}`, (request) =>
          Effect.gen(function* () {
            const caller = yield* access.callerOf(request)
            const params = yield* HttpRouter.params
            const query = queryOf(request)
            yield* checkQuery(query, parameters, lists)
            if (!takesBody) yield* checkBody(request, { takesBody })
            return yield* handle({
              caller,
              request,
              params,
              query,
              follow: (texts, options) =>
                streams
                  .respond(request, texts, options)
                  .pipe(Effect.provideService(AccessEnds, accessEnds(access.callerOf(request))))
            })
          }).pipe(
            Effect.flatMap((answer) => responseOf(answer, request)),
            answeringRefusals
          )
        )
      }
    })
  )

export const queryOf = (request: Request): URLSearchParams => new URL(request.url, "http://troupe").searchParams

/** Of none a value is ignored, and none has what a database can't compare with. */
const checkQuery = (
  query: URLSearchParams,
  parameters: ReadonlyArray<string>,
  lists: ReadonlyArray<string>
): Effect.Effect<void, InvalidRequest> => {
  const seen = new Set<string>()
  for (const [name, value] of query) {
    if (!parameters.includes(name)) return Effect.fail(new InvalidRequest(unknownMember(name, parameters, "parameter")))
    const problem = seen.has(name) && !lists.includes(name) ? "was given twice." : textProblem(value)
    if (problem !== null) return Effect.fail(new InvalidRequest({ field: name, problem }))
    seen.add(name)
  }
  return Effect.void
}

/** A shorter one fits into a packet or two in any case. */
const compressedFromChars = 2_048

/** Long answers are compressed where the client takes that: those of sessions repeat themselves twenty times over. */
const responseOf = (answer: Answer, request: Request): Effect.Effect<Response> => {
  if (HttpServerResponse.isHttpServerResponse(answer)) return Effect.succeed(answer)
  const text = JSON.stringify(answer)
  const headers = { vary: "accept-encoding" }
  return text.length < compressedFromChars || !takesGzip(request)
    ? Effect.succeed(HttpServerResponse.text(text, { contentType: "application/json", headers }))
    : Effect.map(gzippedText(text), (bytes) =>
        HttpServerResponse.uint8Array(bytes, {
          contentType: "application/json",
          headers: { ...headers, "content-encoding": "gzip" }
        })
      )
}

/** A whole number of the query, within bounds; `otherwise` where it is absent. */
export const integerOf = (
  query: URLSearchParams,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number }
): Effect.Effect<number, InvalidRequest> => {
  const text = query.get(name)
  if (text === null) return Effect.succeed(otherwise)
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return number >= least && number <= most
    ? Effect.succeed(number)
    : Effect.fail(new InvalidRequest({ field: name, problem: `must be a whole number from ${least} to ${most}.` }))
}

/** The body, decoded by `schema`. Only `application/json`, which no form of a foreign page can send. */
export const bodyOf = <A>(
  request: Request,
  schema: Schema.ConstraintDecoder<A>
): Effect.Effect<A, InvalidRequest | ProblemDetails> =>
  /^application\/json\b/i.test(request.headers["content-type"] ?? "")
    ? Effect.flatMap(checkBody(request), () => request.text).pipe(
        Effect.mapError(() => new InvalidRequest({ field: "body", problem: "could not be read to its end." })),
        Effect.flatMap((text) =>
          Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text, { errors: "all", onExcessProperty: "error" })
        ),
        // Without the value: it may be a token.
        Effect.mapError((error) =>
          Schema.isSchemaError(error)
            ? { code: "invalid_request", status: 400, detail: schemaProblem(error.issue, bodyWords) }
            : error
        )
      )
    : Effect.fail(unsupportedMedia)

const bodyWords = { whole: "The body", member: "field" }
