/**
 * A complete Troupe with its dashboard on a real port: a real ledger file and real processes of the demo agent.
 *
 * Calling `open` again with the same directory in another scope is a restart.
 */
import { Context, Effect, Layer, Logger, Option, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { Apps } from "../../src/services/Apps.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { AgentSpec, Limits, RunSpec } from "../../src/domain/Settings.ts"
import { loopbackNames } from "../../src/http/originCheck.ts"
import * as Doors from "../../src/doors/Doors.ts"
import * as Http from "../../src/http/Http.ts"
import type { ExtraRoutes } from "../../src/http/Http.ts"
import * as Inspect from "../../src/inspect/Inspect.ts"
import * as Runtime from "../../src/wiring.ts"
import { callsTo } from "../http/callsTo.ts"

export const adminToken = "an-admin-token-for-tests"

/** A new directory, removed with the scope. */
export const scratch = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-inspect-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
)

export interface TroupeOptions {
  readonly dataDir?: string
  readonly limits?: Partial<Limits>
  readonly adminToken?: string
  readonly agents?: Readonly<Record<string, AgentSpec>>
  readonly run?: RunSpec
  /** Beside those of the server. */
  readonly routes?: (services: Context.Context<Runtime.PublicServices>) => ExtraRoutes
}

export const open = (options: TroupeOptions = {}) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const logger = Logger.make((entry) => log.push(inspect(Logger.formatStructured.log(entry), { depth: 6 })))
    const services = yield* Layer.build(
      Runtime.layer(
        {
          dataDir: options.dataDir ?? (yield* scratch),
          limits: { ...defaultLimits, ...options.limits },
          agents: options.agents ?? {},
          defaultAgent: "demo",
          run: options.run ?? {}
        },
        { adminToken: Option.some(Redacted.make(options.adminToken ?? adminToken)) }
      )
    ).pipe(Effect.provide(Logger.layer([logger])), Effect.orDie)
    const dashboard = yield* Layer.build(Inspect.layer.pipe(Layer.provideMerge(Layer.succeedContext(services))))
    const server = yield* Layer.build(
      Http.layerWith(
        { host: "127.0.0.1", port: 0, allowedHosts: loopbackNames, allowedOrigins: [], maxBodyBytes: 1024 * 1024 },
        Layer.mergeAll(
          Doors.routesWith({ agentsApi: true }).pipe(Layer.provide(Layer.succeedContext(services))),
          Inspect.routes.pipe(Layer.provide(Layer.succeedContext(dashboard))),
          options.routes?.(services) ?? Layer.empty
        )
      ).pipe(Layer.provide(Layer.succeedContext(services)))
    ).pipe(Effect.provide(Logger.layer([logger])), Effect.orDie)

    const base = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
    const { ask, call } = callsTo(base)
    const apps = Context.get(services, Apps)
    return {
      base,
      /** With `token: null` unless one is given. */
      ask: (path: string, given: Parameters<typeof ask>[1] = {}) => ask(path, { token: null, ...given }),
      call: (path: string, given: Parameters<typeof call>[1] = {}) => call(path, { token: null, ...given }),
      apps,
      dashboard,
      services,
      log,
      mint: (name: string) => Effect.map(Effect.orDie(apps.mint(name)), ({ token }): string => Redacted.value(token)),
      /** Creates a session through the API, as an app does; gives its id. */
      create: (token: string, body: object = {}) =>
        Effect.map(
          call("/sessions", { token, body: { agent: "demo", ...body } }),
          ({ json }): string => json.session_id
        ),
      turn: (token: string, id: string, prompt: string) =>
        Effect.map(call(`/sessions/${id}/turn`, { token, body: { prompt } }), ({ json }) => json)
    }
  })

export type RunningTroupe = Effect.Success<ReturnType<typeof open>>

export const csrf = { "x-troupe-inspect": "1" }

/** The cookie as a browser sends it back. */
export const cookieOf = (headers: Headers): string => headers.getSetCookie()[0]?.split(";")[0] ?? ""
