/** The API in the router of an Effect program, beside the program's own routes, which use the same services. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Option, Redacted } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import process from "node:process"
import { Troupe } from "troupe"

const { ADMIN_TOKEN = "change-me-to-a-secret", DATA_DIR = ".troupe", PORT = "3000" } = process.env

const runtime = Troupe.layer(
  { dataDir: DATA_DIR, limits: Troupe.defaultLimits, agents: {}, defaultAgent: "demo", run: {} },
  { adminToken: Option.some(Redacted.make(ADMIN_TOKEN)) }
)

const ask = HttpRouter.add(
  "POST",
  "/ask",
  Effect.gen(function* () {
    const sessions = yield* Troupe.Sessions
    const app = Troupe.AppName.make("own")
    const caller = { _tag: "App", app } as const
    const { id } = yield* sessions.create(app, { agent: "demo" })
    const { result } = yield* sessions.submit(caller, id, { prompt: "hello" })
    const { finalText } = yield* result
    yield* sessions.close(caller, id)
    return HttpServerResponse.text(finalText)
  }).pipe(
    Effect.catchTag("PoolFull", ({ message }) => Effect.succeed(HttpServerResponse.text(message, { status: 503 }))),
    Effect.orDie
  )
)

const routes = Layer.mergeAll(ask, Troupe.Http.routes({ prefix: "/agents" }))
const said = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Console.log(`listening on ${HttpServer.formatAddress(address)}`)
  )
)

HttpRouter.serve(routes).pipe(
  Layer.merge(said),
  Layer.provide(NodeHttpServer.layer(createServer, { port: Number(PORT), host: "127.0.0.1" })),
  Layer.provide(runtime),
  Layer.launch,
  NodeRuntime.runMain
)
