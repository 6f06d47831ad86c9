/**
 * The API and the dashboard for other people's servers: a fetch-style handler, and one for Node's `(request, response)`, as
 * Express and Fastify have it. One runtime serves any number of handlers.
 */
import { Context, Effect, Layer, Scope } from "effect"
import { HttpEffect } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { Readable } from "node:stream"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { cleanPrefix, isUnder } from "../http/prefix.ts"
import type { MountOptions } from "../http/mount.ts"
import type * as Inspect from "../inspect/Inspect.ts"
import type { AppName } from "../domain/Ids.ts"
import type { PublicServices } from "../wiring.ts"
import { checkOptions } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"

export interface HandlerOptions extends Omit<MountOptions, "maxBodyBytes"> {
  /**
   * The app that all requests are of, which your server has authenticated; requests need no token then. Absent: each needs
   * the token of an app, or the admin's.
   */
  readonly app?: string
  /** Whether the dashboard is under `/inspect/`. It has its own login, with a token. Default: no. */
  readonly dashboard?: boolean
  /** Whether OpenAI's Agents API is under `/v1/agents`. Default: no. */
  readonly agentsApi?: boolean
}

const handlerNames: NamesOf<HandlerOptions> = {
  prefix: true,
  allowedHosts: true,
  allowedOrigins: true,
  app: true,
  dashboard: true,
  agentsApi: true
}

export type FetchHandler = (request: Request) => Promise<Response>
/** `next` is called where the address is not under the prefix. */
export interface NodeHandler {
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void
  /**
   * For the `upgrade` event of your server, which no router sees: WebSockets under the prefix, as `/acp` and the
   * dashboard's `/inspect/stately`. Others are left to your own listeners. It takes a token, also where `app` is set.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** What handlers need of the runtime. */
export interface Host {
  readonly run: <A, E>(effect: Effect.Effect<A, E, PublicServices>) => Promise<A>
  readonly appNamed: (name: string) => AppName
  /** Of the runtime: closed with it. */
  readonly scope: Scope.Scope
  readonly maxBodyBytes: number
  /** Called before running requests are waited for. */
  readonly onClose: (end: Effect.Effect<void>) => void
}

/** The dashboard's state, which all handlers of a runtime share. */
type Dashboard = Layer.Success<typeof Inspect.layer>

export interface Handlers {
  readonly fetch: (options?: HandlerOptions) => FetchHandler
  readonly node: (options?: HandlerOptions) => NodeHandler
}

export const make = (host: Host): Handlers => {
  let dashboard: Promise<Context.Context<Dashboard>> | undefined

  const open = async (options: HandlerOptions) => {
    // Loaded where they are wanted: most programs that embed Troupe have no handler.
    const [{ mount }, { Streams }, doors] = await Promise.all([
      import("../http/mount.ts"),
      import("../http/Streams.ts"),
      import("../doors/Doors.ts")
    ])
    const page = options.dashboard === true ? await import("../inspect/Inspect.ts") : undefined
    if (page !== undefined) dashboard ??= host.run(Layer.buildWithScope(page.layer, host.scope))
    const inspect = await dashboard
    const mounted = await host.run(
      Effect.gen(function* () {
        const services = yield* Effect.context<PublicServices>()
        const beside = doors.routesWith(options).pipe(Layer.provide(Layer.succeedContext(services)))
        const extra =
          page === undefined || inspect === undefined
            ? beside
            : Layer.merge(
                beside,
                page.routes.pipe(Layer.provide(Layer.succeedContext(Context.merge(services, inspect))))
              )
        const streams = yield* Layer.buildWithScope(Streams.layer, host.scope)
        return yield* mount({ ...options, maxBodyBytes: host.maxBodyBytes }, extra).pipe(
          Effect.provideContext(streams),
          Effect.provideService(Scope.Scope, host.scope)
        )
      })
    )
    host.onClose(mounted.endStreams)
    return mounted
  }

  const arrivalOf = ({ app, prefix }: HandlerOptions) => {
    const caller = app === undefined ? null : ({ _tag: "App", app: host.appNamed(app) } as const)
    const own = cleanPrefix(prefix)
    return ({ source }: HttpServerRequest.HttpServerRequest) => {
      // Express cuts what it was mounted under, and says so.
      const { baseUrl } = source as { readonly baseUrl?: unknown }
      const isCut = typeof baseUrl === "string" && baseUrl !== ""
      return { caller, isCut, prefix: isCut ? baseUrl : own }
    }
  }

  return {
    fetch: (options = {}) => {
      checkOptions(options, handlerNames)
      const arrival = arrivalOf(options)
      const handler = open(options).then(({ answer }) =>
        host.run(
          Effect.map(Effect.context<PublicServices>(), (services) =>
            HttpEffect.toWebHandlerWith<PublicServices, HttpServerRequest.HttpServerRequest | Scope.Scope>(services)(
              Effect.orDie(answer(arrival))
            )
          )
        )
      )
      handler.catch(() => {})
      return async (request) => (await handler)(request)
    },
    node: (options = {}) => {
      checkOptions(options, handlerNames)
      const arrival = arrivalOf(options)
      const prefix = cleanPrefix(options.prefix)
      const mounted = open(options)
      // Not with this module: it loads `ws`, which a bundle of ES modules can't have before it is wanted.
      const handler = Promise.all([mounted, import("@effect/platform-node/NodeHttpServer")]).then(
        ([{ answer }, { makeHandler }]) => host.run(makeHandler(Effect.orDie(answer(arrival)), { scope: host.scope }))
      )
      const openSockets = async () => {
        const [{ answer }, { make }] = await Promise.all([mounted, import("../http/WebSockets.ts")])
        // Who has logged in at the other server, its upgrade event does not tell.
        const app = Effect.orDie(answer((request) => ({ ...arrival(request), caller: null })))
        const sockets = await host.run(
          Effect.provideService(make(app, host.scope, host.maxBodyBytes), Scope.Scope, host.scope)
        )
        host.onClose(sockets.close)
        return sockets
      }
      let sockets: ReturnType<typeof openSockets> | undefined
      const upgrade: NodeHandler["upgrade"] = (request, socket, head) => {
        if (!isUnder(request.url ?? "", prefix)) return
        sockets ??= openSockets()
        sockets.then(
          ({ handler }) => handler(request, socket, head),
          () => socket.destroy()
        )
      }
      const handle = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => {
        const { baseUrl, body } = request as { readonly baseUrl?: unknown; readonly body?: unknown }
        const isCut = typeof baseUrl === "string" && baseUrl !== ""
        if (next !== undefined && !isCut && prefix !== "" && !isUnder(request.url ?? "", prefix)) return next()
        void handler.then((handle) =>
          handle(request.readableEnded && body !== undefined ? again(request, body) : request, response)
        )
      }
      return Object.assign(handle, { upgrade })
    }
  }
}

/** A request whose body was read before it came here, as by `express.json()`: it is the same request with its body again. */
const again = (request: IncomingMessage, body: unknown): IncomingMessage => {
  const bytes = Buffer.from(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  const { headers, httpVersion, httpVersionMajor, httpVersionMinor, method, rawHeaders, socket, url } = request
  const { baseUrl } = request as { readonly baseUrl?: unknown }
  const { "transfer-encoding": _, ...rest } = headers
  const read = Readable.from(bytes.length === 0 ? [] : [bytes])
  return Object.assign(read, {
    headers: { ...rest, "content-length": String(bytes.length) },
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    method,
    rawHeaders,
    socket,
    url,
    baseUrl
  }) as unknown as IncomingMessage
}
