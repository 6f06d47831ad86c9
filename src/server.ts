/** `Troupe.server`: a whole server with its dashboard as one layer, configured like `troupe.config.json`. */
import { Effect, Layer } from "effect"
import { BadConfiguration } from "./configuration/BadConfiguration.ts"
import * as Configuration from "./configuration/Configuration.ts"
import type { keys, KeyName } from "./configuration/keys.ts"
import type { McpServerSpec } from "./domain/McpServer.ts"
import type { AgentSpec, RunSpec } from "./domain/Settings.ts"
import * as Doors from "./doors/Doors.ts"
import * as Http from "./http/Http.ts"
import * as Inspect from "./inspect/Inspect.ts"
import { Operator } from "./services/Operator.ts"
import * as Runtime from "./wiring.ts"

/** Of the values of the file: a number, or a text with a unit where it is a duration or a size. */
type Written<Key> = Key extends { readonly config: (name: string) => { readonly parse: (provider: never) => unknown } }
  ? string | number | boolean | ReadonlyArray<string>
  : never

type ReviewKey = Exclude<Extract<KeyName, `review${string}`>, "reviews">

/** What `troupe.config.json` takes, with the same names and values: `{ port: 0, turnTimeout: "20 minutes", agents: { … } }`. */
export type ServerOptions = {
  readonly [K in Exclude<KeyName, ReviewKey | ClusterKey | "reviews">]?: Written<(typeof keys)[K]> | undefined
} & {
  readonly agents?: Readonly<Record<string, AgentSpec>> | undefined
  readonly mcpServers?: Readonly<Record<string, McpServerSpec>> | undefined
  readonly run?: RunSpec | undefined
  readonly reviews?: { readonly enabled?: boolean } & {
    readonly [K in ReviewKey as K extends `review${infer Rest}` ? Uncapitalize<Rest> : never]?: Written<
      (typeof keys)[K]
    >
  }
}

/** One of several nodes is started by `troupe serve --cluster`. */
type ClusterKey = "node" | "nodeUrl" | "clusterSecret" | "nodeLease"

/** How long running turns may finish when the layer's scope is closed. */
const drainMillis = 20_000

/**
 * Listens when recovery is complete, and provides all services and the `HttpServer`. When its scope is closed, it drains: no
 * new work, running turns may finish for 20 s, every process is retired.
 */
export const server = (options: ServerOptions = {}) =>
  Layer.unwrap(
    Effect.map(Configuration.fromOptions(options), ({ adminToken, databaseUrl, reviews, server, settings }) => {
      const runtime = Runtime.layer(settings, { adminToken, databaseUrl, reviews })
      const { agentsApi, allowedHosts, allowedOrigins, host, port } = server
      const listening = {
        host,
        port,
        allowedHosts: allowedHosts ?? [],
        allowedOrigins,
        maxBodyBytes: settings.limits.maxBodyBytes
      }
      const http = Layer.unwrap(
        Effect.map(Effect.context<Layer.Success<typeof Inspect.layer> | Runtime.PublicServices>(), (inspect) =>
          Http.layerWith(
            listening,
            Layer.merge(Doors.routesWith({ agentsApi }), Inspect.routes).pipe(
              Layer.provide(Layer.succeedContext(inspect))
            )
          )
        )
      ).pipe(Layer.provide(Inspect.layer))
      return draining.pipe(Layer.provideMerge(http), Layer.provideMerge(runtime))
    })
  )

/** Above the port, so that turns end while their readers can still be told. */
const draining = Layer.effectDiscard(
  Effect.gen(function* () {
    const { drain } = yield* Operator
    yield* Effect.addFinalizer(() => Effect.ignore(drain(drainMillis)))
  })
)

export { BadConfiguration }
