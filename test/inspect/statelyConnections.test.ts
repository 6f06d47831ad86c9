/** The connections to `/inspect/stately`: who may open one, how many there may be, and what closes one. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { request } from "node:http"
import { WebSocket } from "ws"
import { Watchers } from "../../src/inspect/stately/Watchers.ts"
import { adminToken, cookieOf, csrf, open } from "./harness.ts"
import { bearer, connect, ticketOf } from "./statelyClient.ts"

describe("/inspect/stately", () => {
  it.live("accepts a header, the dashboard's cookie or a ticket that is valid once, and refuses anything else", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const status = (headers: Readonly<Record<string, string>>, path = "/inspect/stately") =>
        Effect.promise(async () => {
          const { opened, socket } = connect(troupe, path, headers)
          const code = await opened
          socket.terminate()
          return code
        })
      assert.strictEqual(yield* status(bearer(token)), 101)
      assert.strictEqual(yield* status({}), 401)
      assert.strictEqual(yield* status(bearer("trp_nonsense")), 401)
      assert.strictEqual(yield* status({}, `/inspect/stately?token=${token}`), 401)
      const cookie = cookieOf((yield* troupe.call("/inspect/api/login", { body: { token } })).headers)
      assert.strictEqual(yield* status({ cookie }), 101)
      assert.strictEqual(yield* status({ cookie, origin: "https://evil.example" }), 403)
      assert.strictEqual(yield* status({ ...bearer(token), host: "evil.example" }), 403)

      const withoutHeader = yield* troupe.call("/inspect/api/ticket", { headers: { cookie }, body: {} })
      assert.strictEqual(withoutHeader.status, 403)
      const { json } = yield* troupe.call("/inspect/api/ticket", { headers: { cookie, ...csrf }, body: {} })
      const { pathname, search } = new URL(json.url)
      assert.notInclude(json.url, token)
      // A ticket is valid for reading, at this address only.
      const elsewhere = yield* troupe.call(`/inspect/api/me${search}`)
      assert.strictEqual(elsewhere.status, 401)
      assert.strictEqual(yield* status({}, pathname + search), 101)
      assert.strictEqual(yield* status({}, pathname + search), 401)
      assert.strictEqual(yield* status({}, `${pathname}${search}=`), 401)
      assert.strictEqual(yield* status({}, `${pathname}?ticket=${cookie.split("=")[1]}`), 401)
      const late = yield* ticketOf(troupe, token)
      yield* Effect.orDie(troupe.apps.revoke("desk"))
      assert.strictEqual(yield* status({}, new URL(late).pathname + new URL(late).search), 401)

      const plain = yield* troupe.call("/inspect/stately", { token: adminToken })
      assert.containSubset(plain.json, { ok: false, error: "websocket_only", status: 400 })
      // An upgrade request to another address is answered as a plain request.
      assert.strictEqual(yield* status({}, "/healthz"), 200)
      assert.strictEqual(yield* status({}, "/sessions"), 401)
      assert.strictEqual(yield* status({}, "/nowhere"), 404)
      // A request to upgrade to another protocol is answered as a plain request.
      const asking = (path: string, upgrade: string, body?: string) =>
        Effect.promise(
          () =>
            new Promise<number | undefined>((resolve, reject) => {
              const headers = {
                ...bearer(adminToken),
                connection: "upgrade",
                upgrade,
                "content-type": "application/json"
              }
              const method = body === undefined ? "GET" : "POST"
              const outgoing = request(troupe.base + path, { method, headers }, (response) => {
                response.resume()
                resolve(response.statusCode)
              })
              outgoing.on("error", reject).end(body)
            })
        )
      assert.strictEqual(yield* asking("/healthz", "h2c"), 200)
      assert.strictEqual(yield* asking("/inspect/api/ticket", "h2c", "{}"), 200)
      assert.strictEqual(yield* asking("/inspect/api/ticket", "websocket", "{}"), 200)
    }).pipe(Effect.scoped)
  )

  it.live("bounds the number of inspectors and their frames, and closes them when the server stops", () =>
    Effect.gen(function* () {
      const lifetime = yield* Scope.make()
      const troupe = yield* Scope.provide(open(), lifetime)
      const [token, other] = [yield* troupe.mint("desk"), yield* troupe.mint("other")]
      const watchers = Context.get(troupe.dashboard, Watchers)
      const all = Array.from({ length: 8 }, () => connect(troupe, "/inspect/stately", bearer(token)))
      for (const { opened } of all) assert.strictEqual(yield* Effect.promise(() => opened), 101)
      assert.strictEqual(yield* Effect.promise(() => connect(troupe, "/inspect/stately", bearer(token)).opened), 503)
      const neighbour = connect(troupe, "/inspect/stately", bearer(other))
      assert.strictEqual(yield* Effect.promise(() => neighbour.opened), 101)

      const [shouts, talks, ...rest] = all
      shouts!.socket.send("x".repeat(5_000))
      assert.strictEqual((yield* Effect.promise(() => shouts!.closed)).code, 1009)
      for (let n = 0; n < 300; n++) talks!.socket.send("{}")
      assert.deepInclude(yield* Effect.promise(() => talks!.closed), { code: 1008, reason: "This address only tells." })
      rest[0]!.socket.terminate()
      for (let n = 0; n < 2_000 && watchers.size() > 6; n++) yield* Effect.sleep("10 millis")
      assert.strictEqual(watchers.size(), 6)

      yield* Scope.close(lifetime, Exit.void)
      assert.strictEqual((yield* Effect.promise(() => neighbour.closed)).code, 1001)
      for (const { closed } of rest.slice(1)) assert.strictEqual((yield* Effect.promise(() => closed)).code, 1001)
    }).pipe(Effect.scoped)
  )

  it.effect("closes a connection whose token is revoked or whose client is gone without closing it", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const [token, other] = [yield* troupe.mint("desk"), yield* troupe.mint("other")]
      const revoked = connect(troupe, "/inspect/stately", bearer(token))
      const good = connect(troupe, "/inspect/stately", bearer(other))
      const gone = connect(troupe, "/inspect/stately", bearer(other), { autoPong: false })
      for (const { opened } of [revoked, good, gone]) assert.strictEqual(yield* Effect.promise(() => opened), 101)
      yield* Effect.orDie(troupe.apps.revoke("desk"))
      const pinged = new Promise((resolve) => good.socket.once("ping", resolve))
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* Effect.promise(() => revoked.closed), {
        code: 1008,
        reason: "The token was revoked."
      })
      yield* Effect.promise(() => pinged)
      // The server answers this after it has read the answer to its own.
      const answered = new Promise((resolve) => good.socket.once("pong", resolve))
      good.socket.ping()
      yield* Effect.promise(() => answered)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Effect.promise(() => gone.closed)).code, 1006)
      assert.strictEqual(good.socket.readyState, WebSocket.OPEN)
    }).pipe(Effect.scoped)
  )
})
