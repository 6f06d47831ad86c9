/** The event stream of a session: complete, without repeats, and without a buffer for a reader that does not read. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Queue, Scope } from "effect"
import { TestClock } from "effect/testing"
import { connect } from "node:net"
import { SessionId } from "../../src/domain/Ids.ts"
import { readEvents } from "./readEvents.ts"
import { appToken } from "./callers.ts"
import { open } from "./harness.ts"
import { chunk } from "./scriptedRecords.ts"

/** Waits until a count that has begun to grow stops growing. */
const untilStill = (count: () => number) =>
  Effect.promise(async () => {
    for (let before = 0; before === 0 || count() !== before;) {
      before = count()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

it.live("the event stream resumes after Last-Event-ID, or else after the after parameter", () =>
  Effect.gen(function* () {
    const { ask } = yield* open()
    const ids = (path: string, headers: Readonly<Record<string, string>> = {}) =>
      ask(`/sessions/ses_1/events${path}`, { headers }).pipe(
        Effect.flatMap((response) => readEvents(response).rest),
        Effect.map((events) => events.map(({ id }) => id))
      )
    assert.deepStrictEqual(yield* ids(""), ["1", "2", "3", "4"])
    assert.deepStrictEqual(yield* ids("?after=2"), ["3", "4"])
    assert.deepStrictEqual(yield* ids("", { "last-event-id": "3" }), ["4"])
    assert.deepStrictEqual(yield* ids("?after=1", { "last-event-id": "3" }), ["4"])
    // Where a polyfill sends what a browser sends as a header.
    assert.deepStrictEqual(yield* ids("?after=1&lastEventId=3"), ["4"])
    assert.deepStrictEqual(yield* ids("?after=9"), [])
  }).pipe(Effect.scoped)
)

it.live("the event stream says when to come back to a reader that asks for events, and a turn's never does", () =>
  Effect.gen(function* () {
    const { ask } = yield* open()
    const headers = { accept: "text/event-stream" }
    const text = (path: string, options: Parameters<typeof ask>[1]) =>
      Effect.flatMap(ask(path, options), (response) => Effect.promise(() => response.text()))
    assert.match(yield* text("/sessions/ses_1/events", { headers }), /^: troupe\nretry: 2000\n\nid: 1\n/)
    assert.notInclude(yield* text("/sessions/ses_1/events", {}), "retry:")
    const body = { prompt: "complete" }
    for (const path of ["/sessions/ses_ok/turn", "/sessions/ses_ok/turn/stream"]) {
      const streamed = yield* text(path, { headers, body })
      assert.include(streamed, "event: result")
      assert.notInclude(streamed, "retry:")
    }
  }).pipe(Effect.scoped)
)

it.effect("the event stream opens at once, goes on live, and has a comment every 15 s", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* open()
    const stream = readEvents(yield* ask("/sessions/ses_live/events?after=4"))
    assert.strictEqual((yield* stream.next)?.comment, "troupe")
    const session = SessionId.make("ses_live")
    yield* Queue.offer(script.live, { session, seq: 5, turn: 1, at: 0, message: chunk("ses_live", "live") })
    const event = yield* stream.next
    assert.strictEqual(event?.id, "5")
    assert.strictEqual(JSON.parse(event!.data!).params.update.content.text, "live")
    for (let quarter = 0; quarter < 2; quarter++) {
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* stream.next)?.comment, "troupe")
    }
    yield* stream.leave
  }).pipe(Effect.scoped)
)

it.effect("the event stream buffers a few batches for a reader that does not read, and drops it after 30 s", () =>
  Effect.gen(function* () {
    const { base, script } = yield* open()
    const { port } = new URL(base)
    const socket = connect({ host: "127.0.0.1", port: Number(port) })
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()))
    socket.on("error", () => undefined)
    socket.write(
      `GET /sessions/ses_flood/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${appToken}\r\nx-request-id: slow-reader\r\n\r\n`
    )
    socket.pause()
    yield* untilStill(() => script.flooded)
    // The kernel's socket buffers and a few batches of 64 kB are filled, and no more events are read.
    assert.isBelow(script.flooded, 300)
    yield* TestClock.adjust("30 seconds")
    socket.resume()
    yield* Effect.promise(() => gone)
    assert.isTrue(script.log.some((line) => line.includes("lost its stream") && line.includes("slow-reader")))
  }).pipe(Effect.scoped)
)

it.live("the event stream stops reading events when its reader has disconnected", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* open()
    const stream = readEvents(yield* ask("/sessions/ses_flood/events"))
    yield* stream.next
    yield* stream.leave
    // Otherwise the count would grow for ever.
    yield* untilStill(() => script.flooded)
  }).pipe(Effect.scoped)
)

it.live("event streams end completely when the server closes", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { ask } = yield* open().pipe(Effect.provideService(Scope.Scope, scope))
    const stream = readEvents(yield* ask("/sessions/ses_live/events"))
    for (let i = 0; i < 5; i++) yield* stream.next
    yield* Scope.close(scope, Exit.void)
    // The reader would throw if the stream were cut.
    assert.deepStrictEqual(yield* stream.rest, [])
  })
)

it.effect("a request may finish when the server closes, and gets 503 where it takes too long", () =>
  Effect.gen(function* () {
    for (const patient of [true, false]) {
      const scope = yield* Scope.make()
      const { call, script } = yield* open().pipe(Effect.provideService(Scope.Scope, scope))
      const turning = yield* Effect.forkChild(call("/sessions/ses_ok/turn", { body: { prompt: "wait for it" } }))
      yield* Effect.promise(async () => {
        while (script.submitted.length === 0) await new Promise((resolve) => setImmediate(resolve))
      })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      if (patient) yield* Deferred.succeed(script.release, undefined)
      else yield* TestClock.adjust("10 seconds")
      const answer = yield* Fiber.join(turning)
      assert.strictEqual(answer.status, patient ? 200 : 503, answer.text)
      if (!patient) assert.strictEqual(answer.json.error, "draining")
      yield* Fiber.join(closing)
    }
  })
)
