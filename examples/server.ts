/** A whole server with its dashboard as one layer. Its options are those of troupe.config.json. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import process from "node:process"
import { Troupe } from "troupe"

const { ADMIN_TOKEN = "change-me-to-a-secret", DATA_DIR = ".troupe", PORT = "8420" } = process.env

const server = Troupe.server({
  port: Number(PORT),
  dataDir: DATA_DIR,
  adminToken: ADMIN_TOKEN,
  defaultAgent: "demo",
  turnTimeout: "20 minutes"
})
const said = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Console.log(`listening on ${HttpServer.formatAddress(address)}`)
  )
)

said.pipe(Layer.provide(server), Layer.launch, NodeRuntime.runMain)
