/** A door's route: whose request it is, what its handler gets, and when an answer that lasts ends. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { StalledAfter } from "../../src/http/Streams.ts"
import { Backends } from "../../src/doors/Backends.ts"
import { answerWith, route } from "../../src/doors/route.ts"
import type { TroupeOptions } from "../inspect/harness.ts"
import { adminToken, open } from "../inspect/harness.ts"

/** More than the kernel keeps for a socket that nobody reads. */
const hugeBytes = 24 * 1024 * 1024

/** Says who came and what this caller sees; `lasting` says so again and again. */
const routes: TroupeOptions["routes"] = (services) =>
  route(
    "*",
    "/door/:what",
    Effect.succeed((arrival) =>
      answerWith(arrival, async (request) => {
        const { items } = await arrival.backend.list({ limit: 50, cursor: null, state: null })
        const sessions = items.map(({ id }) => id)
        if (!request.url.includes("/lasting")) {
          return Response.json({ method: request.method, body: await request.text(), sessions })
        }
        if (request.url.endsWith("/lasting?huge")) {
          return new Response(`data: ${"x".repeat(hugeBytes)}\n\n`, {
            headers: { "content-type": "text/event-stream" }
          })
        }
        let timer: NodeJS.Timeout
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            timer = setInterval(() => controller.enqueue(new TextEncoder().encode(": here\n\n")), 50)
          },
          cancel: () => clearInterval(timer)
        })
        return new Response(body, { headers: { "content-type": "text/event-stream" } })
      })
    )
  ).pipe(Layer.provide(Backends.layer), Layer.provide(Layer.succeedContext(services)))

it.live("a door gives each caller the library for its own app, and refuses whoever has no token", () =>
  Effect.gen(function* () {
    const troupe = yield* open({ routes })
    const [ours, theirs] = [yield* troupe.mint("ours"), yield* troupe.mint("theirs")]
    const id = yield* troupe.create(ours)
    const asOurs = yield* troupe.call("/door/once", { token: ours, body: { hello: 1 } })
    assert.deepStrictEqual(asOurs.json, { method: "POST", body: '{"hello":1}', sessions: [id] })
    assert.deepStrictEqual((yield* troupe.call("/door/once", { token: theirs })).json.sessions, [])
    assert.deepStrictEqual((yield* troupe.call("/door/once", { token: adminToken })).json.sessions, [id])
    for (const token of [null, "trp_unknown"]) {
      const refused = yield* troupe.call("/door/once", { token })
      assert.deepStrictEqual([refused.status, refused.json.error], [401, "unauthorized"])
      assert.strictEqual(refused.headers.get("www-authenticate"), "Bearer")
    }
    const foreign = yield* troupe.call("/door/once", { token: ours, headers: { origin: "https://evil.example" } })
    assert.strictEqual(foreign.json.error, "forbidden_origin")
    const deep = yield* troupe.call("/door/once", { token: ours, body: "[".repeat(5_000) + "]".repeat(5_000) })
    assert.strictEqual(deep.json.error, "invalid_request")
  }).pipe(Effect.scoped)
)

it.live("events end when the token is revoked, and say so", () =>
  Effect.gen(function* () {
    const troupe = yield* open({ routes })
    const token = yield* troupe.mint("desk")
    const response = yield* troupe.ask("/door/lasting", { token })
    assert.strictEqual(response.status, 200)
    const reader = response.body!.getReader()
    assert.isFalse((yield* Effect.promise(() => reader.read())).done)
    // It is sent as the API's events are, which a reader that takes nothing loses.
    assert.match((yield* troupe.call("/metrics", { token: adminToken })).text, /^troupe_stream_readers 1$/m)
    yield* troupe.apps.revoke("desk")
    const end = yield* Effect.promise(async () => {
      const decoder = new TextDecoder()
      for (let text = ""; ;) {
        const { done, value } = await reader.read()
        if (done) return text
        text += decoder.decode(value, { stream: true })
      }
    })
    assert.match(end, /event: error\ndata: .*"unauthorized".*\n\n$/)
    assert.strictEqual((yield* troupe.call("/door/once", { token })).status, 401)
  }).pipe(Effect.scoped)
)

it.live(
  "a request that no web request can be, or whose address has a host that is none, is no fault of the server",
  () =>
    Effect.gen(function* () {
      const troupe = yield* open({ routes })
      const token = yield* troupe.mint("desk")
      const { hostname, port } = new URL(troupe.base)
      const statusOf = (line: string, host: string) =>
        Effect.callback<string>((resume) => {
          const socket = connect(Number(port), hostname, () =>
            socket.write(
              `${line} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
            )
          )
          let answer = ""
          socket.on("data", (data) => (answer += data.toString()))
          socket.on("close", () => resume(Effect.succeed(answer.slice(9, 12))))
        })
      assert.strictEqual(yield* statusOf("TRACE /door/once", `127.0.0.1:${port}`), "405")
      assert.strictEqual(yield* statusOf("GET http://x:99999/door/once", `127.0.0.1:${port}`), "200")
      assert.strictEqual(yield* statusOf("GET /door/once", "127.0.0.1:99999"), "200")
      const body = "[".repeat(5_000) + "]".repeat(5_000)
      const deep = yield* troupe.call("/door/once", { token, body, headers: { "content-type": "text/plain" } })
      assert.strictEqual(deep.json.error, "invalid_request")
    }).pipe(Effect.scoped)
)

it.live("a reader that takes nothing of the last event loses its connection, too", () =>
  Effect.gen(function* () {
    const troupe = yield* open({ routes })
    const token = yield* troupe.mint("desk")
    const { hostname, port } = new URL(troupe.base)
    const received = yield* Effect.promise(async () => {
      const socket = connect(Number(port), hostname)
      socket.pause()
      socket.on("error", () => {})
      socket.write(`GET /door/lasting?huge HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      // What is sent meanwhile is what the kernel takes; the connection is cut off behind it.
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      let bytes = 0
      socket.on("data", (data) => (bytes += data.length))
      socket.resume()
      await once(socket, "close")
      return bytes
    })
    assert.isBelow(received, hugeBytes)
  }).pipe(Effect.scoped, Effect.provideService(StalledAfter, "1 second"))
)
