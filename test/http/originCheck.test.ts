/** The checks before any route: host, origin, request ids, and bytes that are no HTTP. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { adminToken, appToken } from "./callers.ts"
import { open } from "./harness.ts"

/** Writes bytes as they are, and returns what the server sent until it closed the connection. */
const raw = (base: string, text: string) =>
  Effect.promise(
    () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: Number(new URL(base).port) })
        let all = ""
        socket.on("data", (data) => (all += data.toString()))
        socket.on("close", () => resolve(all))
        socket.on("error", reject)
        socket.write(text)
      })
  )

const get = (path: string, headers: Readonly<Record<string, string>>) =>
  `GET ${path} HTTP/1.1\r\n${Object.entries({ connection: "close", authorization: `Bearer ${appToken}`, ...headers })
    .map(([name, value]) => `${name}: ${value}`)
    .join("\r\n")}\r\n\r\n`

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))

it.live("the server answers for its allowed host names, with any port, and for no other", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    for (const host of ["localhost", "LOCALHOST:1234", "127.0.0.1:8420", "[::1]:8420"]) {
      assert.match(yield* raw(base, get("/sessions", { host })), /^HTTP\/1.1 200 /, host)
    }
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8420", "127.0.0.2"]) {
      const answer = yield* raw(base, get("/sessions", { host }))
      assert.match(answer, /^HTTP\/1.1 403 /)
      assert.strictEqual(bodyOf(answer).error, "forbidden_host")
    }
    // The address in the request line overrides the header (RFC 9112, section 3.2.2).
    const absolute = yield* raw(base, get("http://evil.example/sessions", { host: "localhost" }))
    assert.match(absolute, /^HTTP\/1.1 403 /)
  }).pipe(Effect.scoped)
)

it.live("the probes answer whatever their host is, also to HEAD, and /metrics still takes its token", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    const host = "10.1.2.3:8420"
    const ask = (method: string, path: string, authorization: string) =>
      raw(base, get(path, { host, authorization }).replace(/^GET/, method))
    for (const method of ["GET", "HEAD"]) {
      assert.match(yield* ask(method, "/healthz", ""), /^HTTP\/1.1 200 /)
      // The scripted server is not ready.
      assert.match(yield* ask(method, "/readyz?verbose", ""), /^HTTP\/1.1 503 /)
      assert.match(yield* ask(method, "/metrics", `Bearer ${adminToken}`), /^HTTP\/1.1 200 /)
      assert.match(yield* ask(method, "/metrics", `Bearer ${appToken}`), /^HTTP\/1.1 403 /)
      assert.match(yield* ask(method, "/metrics", ""), /^HTTP\/1.1 401 /)
      assert.match(yield* ask(method, "/sessions", `Bearer ${appToken}`), /^HTTP\/1.1 403 /)
    }
    const page = yield* raw(base, get("/healthz", { host, origin: "http://evil.example" }))
    assert.strictEqual(bodyOf(page).error, "forbidden_origin")
  }).pipe(Effect.scoped)
)

it.live("HEAD is answered as GET, without the body", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    for (const path of [
      "/healthz",
      "/sessions",
      "/sessions/ses_1",
      "/openapi.json",
      "/docs",
      "/sessions/ses_1/turns"
    ]) {
      const host = "localhost"
      const answer = yield* raw(base, get(path, { host }).replace(/^GET/, "HEAD"))
      const [head = "", body] = answer.split("\r\n\r\n")
      assert.match(head, /^HTTP\/1.1 200 /, path)
      assert.match(head, /content-length: [1-9]/i, path)
      assert.strictEqual(body, "", path)
    }
    const stream = yield* raw(base, get("/sessions/ses_live/events", { host: "localhost" }).replace(/^GET/, "HEAD"))
    assert.match(stream, /^HTTP\/1.1 200 [^]*text\/event-stream[^]*\r\n\r\n$/)
  }).pipe(Effect.scoped)
)

it.live("the server answers pages of its own host and of the allowed origins, and no other", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    const host = new URL(base).host
    const ask = (origin: string) => raw(base, get("/sessions", { host, origin }))
    assert.match(yield* ask(base), /^HTTP\/1.1 200 /)
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1", "https://console.example.evil"]) {
      const answer = yield* ask(origin)
      assert.match(answer, /^HTTP\/1.1 403 /)
      assert.strictEqual(bodyOf(answer).error, "forbidden_origin")
      assert.notMatch(answer, /access-control-allow-origin/i)
    }
    const listed = yield* ask("https://console.example")
    assert.match(listed, /^HTTP\/1.1 200 /)
    assert.match(listed, /access-control-allow-origin: https:\/\/console.example/)
    const preflight = yield* raw(
      base,
      `OPTIONS /sessions HTTP/1.1\r\nhost: ${host}\r\norigin: https://console.example\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n`
    )
    assert.match(preflight, /^HTTP\/1.1 204 /)
    assert.match(preflight, /access-control-allow-headers: .*authorization/)
  }).pipe(Effect.scoped)
)

it.live("the server answers for every host name where * is allowed", () =>
  Effect.gen(function* () {
    const { base } = yield* open({ allowedHosts: ["*"] })
    assert.match(yield* raw(base, get("/sessions", { host: "anything.example" })), /^HTTP\/1.1 200 /)
  }).pipe(Effect.scoped)
)

it.live("every answer has a request id: the client's own where it is safe, else a new one", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const idOf = (id: string, path = "/healthz") =>
      Effect.map(call(path, { headers: { "x-request-id": id } }), ({ headers }) => headers.get("x-request-id"))
    assert.strictEqual(yield* idOf("abc-1.2_3"), "abc-1.2_3")
    assert.strictEqual(yield* idOf("k".repeat(128), "/nothing"), "k".repeat(128))
    for (const bad of ["k".repeat(129), "a b", "a;b", "ä"]) {
      const id = yield* idOf(bad)
      assert.match(id!, /^[0-9a-f-]{36}$/)
    }
    assert.notStrictEqual(
      (yield* call("/healthz")).headers.get("x-request-id"),
      (yield* call("/healthz")).headers.get("x-request-id")
    )
  }).pipe(Effect.scoped)
)

it.live("bytes that are no HTTP, and headers that are too long, get a problem as well", () =>
  Effect.gen(function* () {
    const { base, call } = yield* open()
    const garbage = yield* raw(base, "\u0016\u0003\u0001 this is no HTTP\r\n\r\n")
    assert.match(garbage, /^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/)
    assert.containSubset(bodyOf(garbage), { ok: false, error: "invalid_request", status: 400 })
    const long = yield* raw(base, get("/healthz", { host: "localhost", "x-long": "x".repeat(20_000) }))
    assert.match(long, /^HTTP\/1.1 431 /)
    assert.containSubset(bodyOf(long), { ok: false, error: "headers_too_large", status: 431 })
    assert.match(long, /x-request-id: /)
    assert.strictEqual((yield* call("/healthz")).status, 200)
  }).pipe(Effect.scoped)
)
