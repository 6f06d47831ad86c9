/**
 * `troupe serve`: the server, from boot to drain.
 *
 * The port opens when recovery has settled what a dead Troupe left. The first signal drains: no new work, running turns
 * may finish, then every process is retired and the program exits with 0. A second signal waits neither for the turns nor
 * for requests that are still to be answered.
 */
import { Context, Effect, Latch, Layer, Option, Scope } from "effect"
import { HttpServer } from "effect/http"
import { Command, Flag } from "effect/cli"
import { join } from "node:path"
import { Operator } from "../../services/Operator.ts"
import * as DataDir from "../../dataDir.ts"
import * as Doors from "../../doors/Doors.ts"
import { loopbackNames } from "../../http/originCheck.ts"
import * as Http from "../../http/Http.ts"
import * as NodeFiles from "../../http/nodeFiles.ts"
import * as NodeRoute from "../../http/nodeRoute.ts"
import * as Inspect from "../../inspect/Inspect.ts"
import * as Runtime from "../../wiring.ts"
import type { Configuration, ServerSettings } from "../../configuration/Configuration.ts"
import { clusterNode } from "../clusterNode.ts"
import type { ClusterNode } from "../clusterNode.ts"
import { CommandFailed } from "../failures.ts"
import { greet } from "../greeting.ts"
import * as Logging from "../logging.ts"
import * as Telemetry from "../telemetry.ts"
import { configuration, dataDirFlags, listenFlags } from "../options.ts"
import * as RunningServer from "../runningServer.ts"
import { Signals } from "../Signals.ts"
import { version } from "../version.ts"

/** The time in which running turns may finish; supervisors of servers commonly kill after 30 to 90 s. */
const drainMillis = 20_000

const clusterFlag = Flag.Boolean("cluster").pipe(
  Flag.withDescription("As one of several nodes on the PostgreSQL database of TROUPE_DATABASE_URL"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

export const serveCommand = Command.make(
  "serve",
  { ...listenFlags, ...dataDirFlags, cluster: clusterFlag },
  Effect.fn(function* ({ cluster, ...flags }) {
    const configured = yield* configuration(flags)
    const node = cluster ? yield* clusterNode(configured) : null
    const logging = Logging.layer(configured.server)
    yield* Effect.provide(serve(configured, node), Layer.provideMerge(Telemetry.layer(process.env), logging))
  })
).pipe(
  Command.withDescription("Run the server"),
  Command.withExamples([
    { command: "troupe serve", description: "On http://127.0.0.1:8420, with everything under ./.troupe" },
    { command: "TROUPE_MAX_PROCESSES=32 troupe serve --port 0", description: "Settings also come from the environment" }
  ])
)

const serve = Effect.fnUntraced(function* (configured: Configuration, node: ClusterNode | null) {
  const { adminToken, databaseUrl, reviews, server } = configured
  const { settings: given } = configured
  const settings = node === null ? given : { ...given, node, homes: given.homes ?? "capsule" }
  const signals = yield* Signals
  yield* signals.takeOver
  const scope = yield* Effect.scope
  const hurry = yield* Latch.make()
  let operator: Operator["Service"] | undefined
  if (process.pid === 1) yield* Effect.logWarning(asInit)

  const serving = Effect.gen(function* () {
    const services = yield* Layer.buildWithScope(Runtime.layer(settings, { adminToken, databaseUrl, reviews }), scope)
    operator = Context.get(services, Operator)
    const { dataDir } = operator.settings
    if (Telemetry.isOn(process.env)) {
      const gauges = Effect.delay(Effect.ignore(operator.metrics), Telemetry.gaugesEvery)
      yield* Effect.forkIn(Effect.forever(gauges), scope)
    }
    const inspect = yield* Layer.buildWithScope(
      Inspect.layer.pipe(Layer.provideMerge(Layer.succeedContext(services))),
      scope
    )
    const http = yield* Layer.buildWithScope(
      Http.layerWith(
        { ...listening(server, settings.limits.maxBodyBytes, node), hurry: hurry.await },
        Layer.mergeAll(
          Doors.routesWith(server).pipe(Layer.provide(Layer.succeedContext(services))),
          Inspect.routes.pipe(Layer.provide(Layer.succeedContext(inspect))),
          node === null
            ? Layer.empty
            : Layer.merge(
                NodeRoute.layer(node.secret, settings.limits.maxBodyBytes),
                NodeFiles.layer(node.secret)
              ).pipe(Layer.provide(Layer.succeedContext(services)))
        )
      ).pipe(Layer.provide(Layer.succeedContext(services))),
      // Closed before the runtime, so that the last events of closing sessions reach their readers.
      yield* Scope.fork(scope)
    ).pipe(Effect.catchTag("ServeError", ({ cause }) => Effect.fail(notListening(server, cause))))
    const url = urlOf(server, Context.get(http, HttpServer.HttpServer))
    // Taken back before the runtime is closed, which holds the data dir.
    yield* Scope.provide(RunningServer.announce(dataDir, url), scope)
    yield* greet({
      url,
      dataDir,
      version,
      isTerminal: process.stdout.isTTY === true,
      reviews: Object.values(reviews.intervals ?? {}).some((interval) => interval > 0),
      adminToken: Option.isSome(adminToken) ? "TROUPE_ADMIN_TOKEN" : `in ${join(dataDir, DataDir.adminTokenFile)}`
    }).pipe(Effect.provideContext(inspect))
    return yield* Effect.never
  })

  const signal = yield* Effect.raceFirst(serving, signals.next)
  yield* Effect.logInfo(`${signal}: ending. Running turns have ${drainMillis / 1000} s; a second signal ends them now.`)
  // Beside the scope, whose end it is to hasten.
  yield* Effect.forkDetach(Effect.andThen(signals.next, hurry.open))
  if (operator !== undefined) yield* Effect.raceFirst(operator.drain(drainMillis), hurry.await)
}, Effect.scoped)

/** Node reaps its own children, and nobody else's: what agents leave behind would stay in the process table. */
const asInit =
  "Troupe runs as process 1 and is no init: processes that agents leave behind stay as zombies. Run it under one (`docker run --init`, `init: true`, tini)."

const listening = (
  { allowedHosts, allowedOrigins, host, port }: ServerSettings,
  maxBodyBytes: number,
  node: ClusterNode | null
) => ({
  host,
  port,
  // Other nodes send the name by which they reach this one.
  allowedHosts: [...(allowedHosts ?? loopbackNames), ...(node?.url ? [new URL(node.url).hostname] : [])],
  allowedOrigins,
  maxBodyBytes
})

const urlOf = ({ host }: ServerSettings, { address }: HttpServer.HttpServer["Service"]): string => {
  const port = "port" in address ? address.port : ""
  // A browser can't open an address that stands for all interfaces.
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host
  return `http://${name}:${port}`
}

const notListening = ({ host, port }: ServerSettings, cause: unknown) => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is taken. Stop what listens there, or choose another with --port (0 picks a free one)`,
    EACCES: `port ${port} is for privileged users. Choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine. Choose another with --host`,
    ENOTFOUND: `${host} is no name that can be found. Choose another with --host`
  }
  const problem = why[code] ?? (cause instanceof Error ? cause.message : String(cause))
  return new CommandFailed({ code: "not_listening", problem: `Troupe can't listen: ${problem}.` })
}
