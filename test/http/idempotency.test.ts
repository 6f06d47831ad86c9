/** The Idempotency-Key: a request runs once for its key, and a repeated one gets the answer of the first. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { open } from "./harness.ts"
import { readEvents } from "./readEvents.ts"
import { asEvents, turn } from "./turnRequest.ts"

it.live("a turn runs once for an Idempotency-Key, and the second request gets the first one's answer", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    const headers = { "idempotency-key": "key-1" }
    const first = yield* call(turn, { body: { prompt: "complete" }, headers })
    const second = yield* call(turn, { body: { prompt: "complete" }, headers })
    assert.strictEqual(first.status, 200)
    assert.strictEqual(second.text, first.text)
    assert.lengthOf(script.submitted, 1)
    const other = yield* call(turn, { body: { prompt: "another" }, headers })
    assert.strictEqual(other.status, 422)
    assert.strictEqual(other.json.error, "idempotency_conflict")
    const elsewhere = yield* call("/sessions/ses_2/turn", { body: { prompt: "complete" }, headers })
    assert.strictEqual(elsewhere.status, 422)
    assert.lengthOf(script.submitted, 1)
    // A failed turn has run, so it does not run again.
    const failed = { body: { prompt: "crash" }, headers: { "idempotency-key": "key-2" } }
    assert.strictEqual((yield* call(turn, failed)).status, 502)
    assert.strictEqual((yield* call(turn, failed)).status, 502)
    assert.lengthOf(script.submitted, 2)
    // A turn without a process slot has not run, so it may run now.
    const full = { body: { prompt: "no slot" }, headers: { "idempotency-key": "key-3" } }
    assert.strictEqual((yield* call(turn, full)).status, 503)
    assert.strictEqual((yield* call(turn, full)).status, 503)
    assert.lengthOf(script.submitted, 4)
  }).pipe(Effect.scoped)
)

it.live("a session's creation and a one-shot run once for an Idempotency-Key, too", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    const headers = { "idempotency-key": "key" }
    const created = yield* call("/sessions", { body: { meta: { a: 1 } }, headers })
    assert.strictEqual((yield* call("/sessions", { body: { meta: { a: 1 } }, headers })).text, created.text)
    assert.lengthOf(script.submitted, 1)
    const run = { body: { prompt: "json" }, headers: { "idempotency-key": "run" } }
    assert.strictEqual((yield* call("/run", run)).text, (yield* call("/run", run)).text)
    assert.lengthOf(script.submitted, 2)
  }).pipe(Effect.scoped)
)

it.live("the first request with an Idempotency-Key gets the stream, later ones get the result", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* open()
    const options = { body: { prompt: "wait for it" }, headers: { ...asEvents, "idempotency-key": "key" } }
    const first = readEvents(yield* ask(turn, options))
    assert.strictEqual((yield* first.next)?.comment, "troupe")
    assert.strictEqual((yield* first.next)?.event, "state")
    // While the first request's turn runs, the second gets its headers and waits for the same result.
    const second = readEvents(yield* ask(turn, options))
    assert.strictEqual((yield* second.next)?.comment, "troupe")
    yield* Deferred.succeed(script.release, undefined)
    const [eventsOfFirst, eventsOfSecond] = [yield* first.rest, yield* second.rest]
    assert.deepStrictEqual(
      eventsOfFirst.map(({ event }) => event),
      ["message", "result"]
    )
    assert.deepStrictEqual(eventsOfSecond, [eventsOfFirst[1]])
    assert.deepStrictEqual(yield* readEvents(yield* ask(turn, options)).rest, [eventsOfFirst[1]])
    // The stream's own address is another way to the same turn.
    const own = yield* ask(`${turn}/stream`, { body: options.body, headers: { "idempotency-key": "key" } })
    assert.deepStrictEqual(yield* readEvents(own).rest, [eventsOfFirst[1]])
    assert.lengthOf(script.submitted, 1)
  }).pipe(Effect.scoped)
)
