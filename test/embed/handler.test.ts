/** The API in other people's servers: fetch-style, Node's, an Effect router's; and a whole server as one layer. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { once } from "node:events"
import { createServer, get } from "node:http"
import type { IncomingMessage, RequestListener } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Troupe } from "../../src/index.ts"
import { openTroupe } from "../../src/promise.ts"
import type { FetchHandler } from "../../src/promise.ts"

const adminToken = "an-admin-token-for-tests"
const options = { dataDir: ":memory:", defaultAgent: "demo", drainMillis: 200, adminToken } as const

const listening = async (handler: RequestListener) => {
  const server = createServer(handler)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}

const call =
  (ask: (request: Request) => Promise<Response>, base: string) =>
  async (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const response = await ask(
      new Request(`${base}${path}`, {
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
      })
    )
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

/** A session with a turn, whole and streamed, by whichever way the requests go. */
const aSession = async (ask: ReturnType<typeof call>) => {
  const created = await ask("/sessions", { agent: "demo" })
  assert.strictEqual(created.status, 200, created.text)
  const { session_id } = JSON.parse(created.text) as { readonly session_id: string }
  const turn = await ask(`/sessions/${session_id}/turn`, { prompt: "hello" })
  assert.include(turn.text, "You said: hello")
  const streamed = await ask(`/sessions/${session_id}/turn`, { prompt: "slow 3 1" }, { accept: "text/event-stream" })
  assert.match(streamed.headers.get("content-type") ?? "", /^text\/event-stream/)
  assert.include(streamed.text, "event: result\n")
  const unknown = await ask("/nothing")
  assert.strictEqual((JSON.parse(unknown.text) as { readonly error: string }).error, "not_found")
  return { session_id, streamed }
}

describe("a handler", () => {
  it("answers fetch-style requests under a prefix, for an app that the host has authenticated", async () => {
    await using troupe = await openTroupe(options)
    const handler: FetchHandler = troupe.handler({ prefix: "/api/agents", app: "web" })
    const ask = call(handler, "http://localhost:3000/api/agents")
    const { session_id, streamed } = await aSession(ask)
    assert.strictEqual(streamed.headers.get("content-location"), "turns/2")
    // It is the app's session, and the same one in the library.
    assert.strictEqual((await (await troupe.as("web").session(session_id)).view()).turnCount, 2)
    assert.strictEqual((await troupe.listSessions()).count, 0)
    const spec = JSON.parse((await ask("/openapi.json")).text) as {
      readonly servers: ReadonlyArray<{ readonly url: string }>
    }
    assert.deepStrictEqual(spec.servers, [{ url: "/api/agents" }])
    const foreign = await ask("/sessions", {}, { origin: "https://evil.example" })
    assert.strictEqual(foreign.status, 403)
    assert.strictEqual((await ask("/admin/apps")).status, 401)
    assert.strictEqual((await ask("/inspect/")).status, 404)
  })

  it("takes WebSockets where the host passes them on, by a token, and answers plainly where it does not", async () => {
    await using troupe = await openTroupe(options)
    const session = await troupe.createSession({ agent: "demo" })
    const handler = troupe.nodeHandler({ prefix: "/agents", app: "web", dashboard: true })
    const server = createServer(handler)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const opens = async (path: string, headers: Readonly<Record<string, string>>) => {
      const request = get(`${base}${path}`, {
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          ...headers
        }
      })
      const [response, socket, head] = (await Promise.race([once(request, "upgrade"), once(request, "response")])) as [
        IncomingMessage,
        Socket?,
        Buffer?
      ]
      response.resume()
      return { status: response.statusCode, socket, head }
    }
    const admin = { authorization: `Bearer ${adminToken}` }
    try {
      assert.strictEqual((await opens("/agents/inspect/stately", admin)).status, 400)
      server.on("upgrade", handler.upgrade)
      let elsewhere = 0
      server.on("upgrade", ({ url }, socket) => {
        if (url?.startsWith("/agents") === true) return
        elsewhere += 1
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n")
      })
      assert.strictEqual((await opens("/agents/inspect/stately", {})).status, 401)
      assert.strictEqual((await opens("/mine", admin)).status, 404)
      assert.strictEqual(elsewhere, 1)
      const editor = await opens("/agents/acp", admin)
      assert.strictEqual(editor.status, 101)
      editor.socket?.destroy()
      const { head, socket, status } = await opens(`/agents/inspect/stately?session=${session.id}`, admin)
      assert.strictEqual(status, 101)
      // What is told first may have come with the answer.
      let told = String(head)
      while (!told.includes(session.id)) told += String((await once(socket!, "data"))[0])
      socket!.destroy()
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it("takes tokens where the host has authenticated nobody, and has the dashboard where it is wanted", async () => {
    await using troupe = await openTroupe(options)
    await using server = await listening(troupe.nodeHandler({ prefix: "agents/", dashboard: true }))
    const ask = call(fetch, `${server.url}/agents`)
    assert.strictEqual((await ask("/sessions")).status, 401)
    const authorization = `Bearer ${adminToken}`
    const made = await ask("/admin/apps", { name: "desk" }, { authorization })
    assert.isBelow(made.status, 300, made.text)
    const { token } = JSON.parse(made.text) as { readonly token: string }
    await aSession((path, body, headers) => ask(path, body, { ...headers, authorization: `Bearer ${token}` }))
    const page = await ask("/inspect/")
    assert.strictEqual(page.status, 200)
    const login = await ask("/inspect/api/login", { token: adminToken })
    assert.strictEqual(login.status, 200, login.text)
    assert.match(login.headers.get("set-cookie") ?? "", /; Path=\/agents\/inspect\//)
    const cookie = (login.headers.get("set-cookie") ?? "").split(";", 1)[0]!
    const table = await ask("/inspect/api/sessions", undefined, { cookie })
    assert.strictEqual(table.status, 200, table.text)
    assert.strictEqual((await call(fetch, server.url)("/sessions")).status, 404)
  })

  it("stands in Express: cut addresses, bodies that were read before, and next for what is not its own", async () => {
    await using troupe = await openTroupe(options)
    const handler = troupe.nodeHandler({ prefix: "/agents", app: "web" })
    await using server = await listening((request, response) => {
      const forwarded = () => handler(request, response, () => void response.end("the host's own"))
      if (request.url?.startsWith("/cut") !== true) return forwarded()
      // As `express.json()` and `app.use("/cut", …)` leave it.
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString()
        Object.assign(request, {
          baseUrl: "/cut",
          url: request.url?.slice("/cut".length),
          body: text === "" ? {} : (JSON.parse(text) as object)
        })
        setImmediate(forwarded)
      })
    })
    const { streamed } = await aSession(call(fetch, `${server.url}/cut`))
    assert.strictEqual(streamed.headers.get("content-location"), "turns/2")
    await aSession(call(fetch, `${server.url}/agents`))
    assert.strictEqual((await call(fetch, server.url)("/elsewhere")).text, "the host's own")
  })

  it("ends its streams when the library closes, and says so to whoever asks later", async () => {
    const troupe = await openTroupe(options)
    const handler = troupe.handler({ app: "web" })
    const ask = call(handler, "http://localhost")
    const { session_id } = JSON.parse((await ask("/sessions", {})).text) as { readonly session_id: string }
    const events = ask(`/sessions/${session_id}/events`)
    await troupe.close()
    assert.match((await events).text, /^: troupe/)
  })

  it("refuses options that it does not have", async () => {
    await using troupe = await openTroupe(options)
    assert.throws(
      () => troupe.handler({ prefx: "/x" } as object),
      /prefx is not a known option \(did you mean `prefix`/
    )
    assert.throws(() => troupe.nodeHandler({ app: "No Name" }), /app is "No Name"/)
  })
})

const built = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layer, scope)
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    return context
  })

const urlOf = (context: Context.Context<HttpServer.HttpServer>) =>
  HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)

it.live("Troupe.server is a whole server, configured like the file, and refuses what the file refuses", () =>
  Effect.gen(function* () {
    const settings = { port: 0, dataDir: ":memory:", defaultAgent: "demo", adminToken, turnTimeout: "20 minutes" }
    const context = yield* built(Troupe.server({ ...settings, allowedHosts: [] }))
    const url = urlOf(context)
    const ask = call(fetch, url)
    const { limits } = Context.get(context, Troupe.RuntimeSettings)
    assert.strictEqual(limits.turnTimeoutMillis, 1_200_000)
    yield* Effect.promise(async () => {
      const asAdmin = (path: string, body?: unknown) => ask(path, body, { authorization: `Bearer ${adminToken}` })
      assert.strictEqual((await asAdmin("/sessions")).status, 200)
      assert.strictEqual((await ask("/inspect/")).status, 200)
    })
    const refused = (options: object) =>
      Effect.map(Effect.flip(Effect.scoped(Layer.build(Troupe.server(options)))), (error) => (error as Error).message)
    assert.strictEqual(
      yield* refused({ maxProcesess: 4 }),
      "maxProcesess in the options is no setting. Did you mean maxProcesses?"
    )
    assert.match(yield* refused({ maxProcesses: -1 }), /^maxProcesses in the options is -1: it takes a whole number/)
    assert.match(
      yield* refused({ agents: { mine: { protocol: "pigeon" } } }),
      /^agents\.mine\.protocol in the options: Expected "codex-app-server"/
    )
  }).pipe(Effect.scoped)
)

it.live("Troupe.Http.routes stands in a router of somebody else's, beside that one's own routes", () =>
  Effect.gen(function* () {
    const runtime = Troupe.layer(
      { dataDir: ":memory:", limits: Troupe.defaultLimits, agents: {}, defaultAgent: "demo", run: {} },
      { adminToken: Option.some(Redacted.make(adminToken)) }
    )
    const own = HttpRouter.add("GET", "/hello", HttpServerResponse.text("the program's own"))
    const app = HttpRouter.serve(Layer.merge(own, Troupe.Http.routes({ prefix: "/agents" })), { disableLogger: true })
    const server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })
    const context = yield* built(Layer.provideMerge(app, server).pipe(Layer.provide(runtime)))
    const url = urlOf(context)
    yield* Effect.promise(async () => {
      assert.strictEqual((await call(fetch, url)("/hello")).text, "the program's own")
      const authorization = `Bearer ${adminToken}`
      const asAdmin = call(fetch, `${url}/agents`)
      const made = await asAdmin("/admin/apps", { name: "web" }, { authorization })
      const { token } = JSON.parse(made.text) as { readonly token: string }
      await aSession((path, body, headers) => asAdmin(path, body, { ...headers, authorization: `Bearer ${token}` }))
    })
  }).pipe(Effect.scoped)
)
