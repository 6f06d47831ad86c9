/** Inspection in Stately's protocol: their own package is the client, over a real server and real processes. */
import { assert, describe, it } from "@effect/vitest"
import { createWebSocketReceiver } from "@statelyai/inspect"
import type { StatelyInspectionEvent } from "@statelyai/inspect"
import { Context, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { createMachine } from "xstate"
import type { StateValue } from "xstate"
import { WebSocket } from "ws"
import { SessionActorRefs } from "../../src/services/SessionActorRefs.ts"
import { Watchers } from "../../src/inspect/stately/Watchers.ts"
import { adminToken, cookieOf, csrf, open, scratch } from "./harness.ts"

type RunningTroupe = Effect.Success<ReturnType<typeof open>>
type Received = StatelyInspectionEvent & { readonly snapshot?: { readonly value: unknown; readonly status: string } }

const longest = 20_000

/** What an inspector shows: the last state of each actor that was introduced to it. */
const receive = async (url: string) => {
  const received: Array<Received> = []
  const receiver = createWebSocketReceiver({ server: url })
  receiver.subscribe((event) => received.push(event as Received))
  const picture = () => {
    const actors = new Map<string, unknown>()
    for (const event of received) {
      if (event.type === "@xstate.actor") actors.set(event.sessionId, event.snapshot!.value)
      // An inspector cannot draw an actor that was not introduced.
      else assert.isTrue(actors.has(event.sessionId), `${event.type} of a stranger`)
      if (event.type === "@xstate.snapshot") actors.set(event.sessionId, event.snapshot!.value)
    }
    return actors
  }
  const until = async (wanted: (received: ReadonlyArray<Received>) => boolean) => {
    const end = Date.now() + longest
    while (!wanted(received)) {
      if (Date.now() > end) assert.fail(`not told in time; ${JSON.stringify(received.slice(-5))}`)
      await sleep(10)
    }
  }
  const stateOf = (session: string, value: unknown) =>
    until(() => JSON.stringify(picture().get(session)) === JSON.stringify(value))
  return { told: received, picture, until, stands: stateOf }
}

const ticketOf = (troupe: RunningTroupe, token: string) =>
  Effect.map(troupe.call("/inspect/api/ticket", { token, body: {} }), ({ json }): string => json.url)

const watch = (troupe: RunningTroupe, token: string, more = "") =>
  Effect.flatMap(ticketOf(troupe, token), (url) => Effect.promise(() => receive(url + more)))

/** A program, which can send headers. Resolves with the close code and reason, or with the status of a refusal. */
const connect = (
  troupe: RunningTroupe,
  path: string,
  headers: Readonly<Record<string, string>>,
  options: { readonly autoPong?: boolean } = {}
) => {
  const socket = new WebSocket(troupe.base.replace("http", "ws") + path, { headers, ...options })
  socket.on("error", () => {})
  const opened = new Promise<number>((resolve) => {
    socket.on("open", () => resolve(101))
    socket.on("unexpected-response", (_, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.on("close", (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() }))
  })
  return { socket, opened, closed }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const events = (received: ReadonlyArray<Received>) =>
  received.flatMap((message) => (message.type === "@xstate.event" ? [message.event.type] : []))

describe("/inspect/stately", () => {
  it.live("sends Stately's own receiver a session's machine, then each event and the snapshot after it", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const id = yield* troupe.create(token)
      const { picture, stands: stateOf, told: received } = yield* watch(troupe, token, `&session=${id}`)
      yield* Effect.promise(() => stateOf(id, { idle: "asleep" }))
      yield* troupe.turn(token, id, "the secret of the prompt")
      yield* Effect.promise(() => stateOf(id, { idle: "awake" }))
      assert.deepStrictEqual(events(received), ["turn.submitted", "slot.granted", "process.ready", "turn.ended"])

      const [first] = received
      assert.strictEqual(first?.type, "@xstate.actor")
      if (first?.type !== "@xstate.actor") return
      assert.deepStrictEqual(first.snapshot.value, { idle: "asleep" })
      const machine = createMachine(JSON.parse(first.definition!))
      for (const value of picture().values()) machine.resolveState({ value: value as StateValue })
      for (const message of received) {
        assert.containSubset(message, { sessionId: id, rootId: id, _version: "0.7.2" })
        assert.match(message.createdAt, /^\d{13}$/)
      }
      assert.notInclude(JSON.stringify(received), "secret of the prompt")
      assert.notInclude(JSON.stringify(received), token)
    }).pipe(Effect.scoped)
  )

  it.live(
    "gives a late inspector the complete picture, and keeps it correct through a kill, sleep, wake, close and restart",
    () =>
      Effect.gen(function* () {
        const dataDir = yield* scratch
        const lifetime = yield* Scope.make()
        const troupe = yield* Scope.provide(open({ dataDir }), lifetime)
        const token = yield* troupe.mint("desk")
        const id = yield* troupe.create(token)
        const asleep = yield* troupe.create(token)
        yield* troupe.turn(token, id, "hello")

        const late = yield* watch(troupe, token)
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))
        assert.isFalse(late.picture().has(asleep))

        const { json } = yield* troupe.call(`/sessions/${id}`, { token })
        process.kill(json.process.pid, "SIGKILL")
        yield* Effect.promise(() => late.until((received) => events(received).includes("process.gone")))
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))

        const refs = Context.get(troupe.dashboard, SessionActorRefs)
        const actor = yield* refs.of({ _tag: "Admin" }, id)
        actor.send({ type: "hibernate.requested" })
        yield* Effect.promise(() => late.stands(id, { idle: "asleep" }))
        yield* troupe.turn(token, id, "again")
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))
        assert.strictEqual(late.told.filter(({ type }) => type === "@xstate.actor").length, 1)

        // A sleeping session is sent where it is asked for by its id.
        const one = yield* watch(troupe, token, `&session=${asleep}`)
        yield* Effect.promise(() => one.stands(asleep, { idle: "asleep" }))
        yield* troupe.call(`/sessions/${asleep}`, { token, method: "DELETE" })
        yield* Effect.promise(() => one.stands(asleep, "closed"))
        assert.strictEqual(one.told.at(-1)?.snapshot?.status, "done")
        assert.deepStrictEqual([...one.picture().keys()], [asleep])
        yield* Scope.close(lifetime, Exit.void)

        const again = yield* open({ dataDir })
        const after = yield* watch(again, token, `&session=${id}`)
        yield* Effect.promise(() => after.stands(id, { idle: "asleep" }))
        yield* again.turn(token, id, "recall")
        yield* Effect.promise(() => after.stands(id, { idle: "awake" }))
      }).pipe(Effect.scoped)
  )

  it.live("sends an app its own sessions only, and the admin all", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const [mine, theirs] = [yield* troupe.mint("desk"), yield* troupe.mint("other")]
      const id = yield* troupe.create(mine)
      const watching = yield* watch(troupe, mine)
      const admin = yield* watch(troupe, adminToken)
      const foreign = yield* troupe.create(theirs)
      yield* troupe.turn(theirs, foreign, "hello")
      yield* troupe.turn(mine, id, "hello")
      yield* Effect.promise(() => watching.stands(id, { idle: "awake" }))
      yield* Effect.promise(() => admin.stands(foreign, { idle: "awake" }))
      assert.deepStrictEqual([...watching.picture().keys()], [id])
      assert.isFalse(JSON.stringify(watching.told).includes(foreign))
      for (const session of [foreign, "ses_none", "%00"]) {
        const refused = connect(troupe, `/inspect/stately?session=${session}`, bearer(mine))
        assert.strictEqual(yield* Effect.promise(() => refused.opened), 404)
      }
    }).pipe(Effect.scoped)
  )

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
