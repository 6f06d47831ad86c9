/**
 * The API inside of somebody else's server: behind the same middleware as on a port of its own, under a prefix, and for
 * callers that the other server has authenticated.
 */
import { Effect, Layer } from "effect"
import type { Scope } from "effect"
import { Cookies, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { defaultLimits } from "../domain/Settings.ts"
import type { Caller } from "../services/Sessions.ts"
import { HostCaller } from "./handlers/auth.ts"
import { middleware } from "./middleware.ts"
import { cleanPrefix, isUnder, withoutPrefix } from "./prefix.ts"
import { problemResponse } from "./problems.ts"
import { requestIdOf } from "./RequestId.ts"
import { routed } from "./routed.ts"
import type { ExtraRoutes, HttpServices } from "./routed.ts"
import { Streams } from "./Streams.ts"

export interface MountOptions {
  /** Where the addresses begin, such as `/agents`. Default: at the root. */
  readonly prefix?: string
  /** Host names that are served. Default: all, as it is the other server that is asked. */
  readonly allowedHosts?: ReadonlyArray<string>
  /** Origins of pages on other hosts that may call. Default: none. */
  readonly allowedOrigins?: ReadonlyArray<string>
  readonly maxBodyBytes?: number
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** What a request is, where the other server knows: whose it is, and where the addresses begin for its client. */
export interface Arrival {
  /** `null`: a token has to tell. */
  readonly caller: Caller | null
  /** How the client's addresses begin; where `isCut`, those of the request begin behind it. */
  readonly prefix: string
  readonly isCut: boolean
}

export interface Mounted {
  readonly answer: (arrival: (request: Request) => Arrival) => Effect.Effect<Response, unknown, Request | Scope.Scope>
  /** Ends all event streams, completely written. */
  readonly endStreams: Effect.Effect<void>
}

/** The whole API as one effect for each request. */
export const mount = Effect.fnUntraced(function* (options: MountOptions, extra: ExtraRoutes) {
  const app = yield* routed(cleanPrefix(options.prefix), extra)
  const streams = yield* Streams
  const handled = middleware(app, {
    allowedHosts: options.allowedHosts ?? ["*"],
    allowedOrigins: options.allowedOrigins ?? [],
    maxBodyBytes: options.maxBodyBytes ?? defaultLimits.maxBodyBytes
  })
  const mounted: Mounted = {
    endStreams: streams.close,
    answer: (arrivalOf) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const { caller, isCut, prefix } = arrivalOf(request)
        if (!isCut && prefix !== "" && !isUnder(request.url, prefix)) return Effect.succeed(elsewhere(prefix))
        const url = isCut ? request.url : withoutPrefix(request.url, prefix)
        return handled.pipe(
          Effect.provideService(HttpServerRequest.HttpServerRequest, withHost(request, url)),
          Effect.provideService(HostCaller, caller),
          Effect.map((response) => (prefix === "" ? response : placedUnder(prefix, response)))
        )
      })
  }
  return mounted
})

/** Adds the API to the `HttpRouter` of an Effect program, under the prefix. */
export const routes = (options: MountOptions = {}) => routesWith(options, Layer.empty)

/** `extra`: further routes behind the same middleware, such as `Inspect.routes`. */
export const routesWith = (
  options: MountOptions,
  extra: ExtraRoutes
): Layer.Layer<never, never, HttpRouter.HttpRouter | HttpServices> => {
  const prefix = cleanPrefix(options.prefix)
  return HttpRouter.use((router) =>
    Effect.gen(function* () {
      const { answer, endStreams } = yield* mount(options, extra)
      yield* Effect.addFinalizer(() => endStreams)
      const arrival = { caller: null, prefix, isCut: false }
      const answered = Effect.orDie(answer(() => arrival))
      // The route matches the prefix itself as well.
      yield* router.add("*", `${prefix}/*` as `/${string}`, answered)
    })
  ).pipe(Layer.provide(Streams.layer)) as Layer.Layer<never, never, HttpRouter.HttpRouter | HttpServices>
}

const elsewhere = (prefix: string) => {
  const detail = `Nothing is here. The API begins at ${prefix}/, and GET ${prefix}/docs shows what there is.`
  return problemResponse({ code: "not_found", status: 404, detail }, requestIdOf(undefined))
}

/** A request of a fetch-style server may have its host in the address only. */
const withHost = (request: Request, url: string): Request => {
  if (request.headers["host"] !== undefined || !(request.source instanceof globalThis.Request)) {
    return request.modify({ url })
  }
  return request.modify({
    url,
    headers: { ...request.headers, host: new URL(request.source.url).host } as Request["headers"]
  })
}

/** The addresses of this server in an answer are those that its client sees. */
const placedUnder = (prefix: string, response: Response): Response => {
  let placed = response
  for (const name of ["location", "content-location"]) {
    const place = response.headers[name]
    if (place?.startsWith("/") === true) placed = HttpServerResponse.setHeader(placed, name, `${prefix}${place}`)
  }
  if (Cookies.isEmpty(response.cookies)) return placed
  const cookies = Object.values(response.cookies.cookies).map((cookie) =>
    Cookies.makeCookieUnsafe(cookie.name, cookie.value, {
      ...cookie.options,
      path: `${prefix}${cookie.options?.path ?? "/"}`
    })
  )
  return HttpServerResponse.replaceCookies(placed, Cookies.fromIterable(cookies))
}
