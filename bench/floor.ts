/**
 * What a turn can't do without, and nothing more: a POST through Effect's HttpApi, and a commit of as many rows of the same
 * sizes as a turn of Troupe leaves in its ledger, by prepared statements of Node's own SQLite.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, ManagedRuntime, Schema } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { createServer } from "node:http"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { block, cpuMillis } from "./sample.ts"
import { serveCalls } from "./worker.ts"

const [dir = ""] = process.argv.slice(2)

const db = new DatabaseSync(join(dir, "floor.sqlite"))
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
const insert = db.prepare("INSERT INTO rows (body) VALUES (?)")
const [begin, commit] = [db.prepare("BEGIN IMMEDIATE"), db.prepare("COMMIT")]
let bodies: ReadonlyArray<string> = []

const commitTurn = () => {
  begin.run()
  for (const body of bodies) insert.run(body)
  commit.run()
}

const TurnBody = Schema.Struct({ prompt: Schema.String })
const TurnAnswer = Schema.Struct({ ok: Schema.Literal(true), rows: Schema.Number })
const Turns = HttpApiGroup.make("turns").add(
  HttpApiEndpoint.post("turn", "/sessions/:id/turn", {
    params: { id: Schema.String },
    payload: TurnBody,
    success: TurnAnswer
  })
)
const Api = HttpApi.make("floor").add(Turns)

const handlers = HttpApiBuilder.group(Api, "turns", (handlers) =>
  handlers.handle("turn", () =>
    Effect.sync(() => {
      commitTurn()
      return { ok: true, rows: bodies.length } as const
    })
  )
)
const runtime = ManagedRuntime.make(
  HttpRouter.serve(HttpApiBuilder.layer(Api).pipe(Layer.provide(handlers)), { disableLogger: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
  )
)

const calls = {
  /** The rows that each turn commits from now on. */
  listen: async (turn: { readonly bodies: ReadonlyArray<string> }) => {
    bodies = turn.bodies
    const { address } = Context.get(await runtime.context(), HttpServer.HttpServer)
    return { url: HttpServer.formatAddress(address) }
  },
  commits: ({ count }: { readonly count: number }) => block([null], count, async () => commitTurn()),
  cpu: async () => ({ millis: cpuMillis() })
} as const

export type FloorCalls = typeof calls

serveCalls(calls, async () => {
  await runtime.dispose()
  db.close()
})
