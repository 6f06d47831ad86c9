/** Answers that take long: headers at once, a body that stays alive, and an outcome that the status no longer says. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import * as Client from "../../src/http/Client.ts"
import { LateAnswers } from "../../src/http/lateAnswer.ts"
import { appToken } from "./callers.ts"
import { open } from "./harness.ts"
import { turn } from "./turnRequest.ts"
import { untilTrue } from "./untilTrue.ts"

/** A server whose answers are late at once, and that shows a sign of life all the time. */
const openLate = open().pipe(
  Effect.provideService(LateAnswers, { headersWithin: "1 milli", keptAliveEvery: "2 millis" })
)

const chunksOf = (response: Response) => {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  return {
    next: Effect.promise(async () => (await reader.read()).value ?? null),
    leave: Effect.promise(() => reader.cancel())
  }
}

it.live("a turn that lasts gets its headers before its outcome, line feeds, and then its result", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* openLate
    const response = yield* ask(turn, { body: { prompt: "wait for it: complete" } })
    assert.deepStrictEqual(
      ["x-troupe-late-answer", "content-type", "x-accel-buffering", "idempotent-replayed"].map((name) =>
        response.headers.get(name)
      ),
      ["true", "application/json", "no", null]
    )
    const { next } = chunksOf(response)
    let text = ""
    for (let n = 0; n < 3; n++) text += yield* next
    assert.match(text, /^\n+$/)
    yield* Deferred.succeed(script.release, undefined)
    for (let chunk = yield* next; chunk !== null; chunk = yield* next) text += chunk
    assert.match(text, /^\n{3,}\{"ok":true,"session_id":"ses_ok","turn_index":1,/)
    assert.strictEqual(JSON.parse(text).completed, true)
  }).pipe(Effect.scoped)
)

it.live("a turn that fails late says so in its body, which is the one that an early failure has", () =>
  Effect.gen(function* () {
    const late = yield* openLate
    const early = yield* open()
    yield* Deferred.succeed(late.script.release, undefined)
    for (const [prompt, status] of [
      ["crash", 502],
      ["no slot", 503]
    ] as const) {
      const first = yield* early.call(turn, { body: { prompt } })
      assert.strictEqual(first.status, status)
      const headers = { "x-request-id": "the-request" }
      const answer = yield* late.call(turn, { body: { prompt: `wait for it: ${prompt}` }, headers })
      const { request_id: _, ...expected } = first.json
      const { request_id: __, ...body } = answer.json
      assert.deepStrictEqual(body, expected)
      if (answer.headers.get("x-troupe-late-answer") === "true") assert.strictEqual(answer.status, 200)
    }
  }).pipe(Effect.scoped)
)

it.live("the typed client gives a late answer the status that its body has", () =>
  Effect.gen(function* () {
    const { base, script } = yield* openLate
    const client = yield* Client.make({ baseUrl: base, token: appToken })
    const submit = (prompt: string) =>
      client.turns.submit({ params: { id: "ses_ok" }, headers: {}, payload: { prompt: `wait for it: ${prompt}` } })
    const all = yield* Effect.forkChild(
      Effect.all([submit("complete"), submit("crash"), Effect.flip(submit("no slot"))], { concurrency: 3 })
    )
    yield* untilTrue(() => script.submitted.length === 3)
    yield* Deferred.succeed(script.release, undefined)
    const [complete, crash, refused] = yield* Fiber.join(all)
    assert.deepInclude(complete, { ok: true, sessionId: "ses_ok" })
    assert.deepInclude(crash, { ok: false, sessionId: "ses_ok", stopReason: "error" })
    assert.deepInclude(refused, { error: "pool_full", status: 503, retryAfter: 5 })
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("a client that leaves a late answer leaves its turn, or has it interrupted with cancel_on_disconnect", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* openLate
    for (const cancel_on_disconnect of [false, true]) {
      const response = yield* ask(turn, { body: { prompt: "wait for it", cancel_on_disconnect } })
      const { leave, next } = chunksOf(response)
      assert.match((yield* next) ?? "", /^\n+$/)
      yield* leave
      if (cancel_on_disconnect) yield* untilTrue(() => script.interrupted.length > 0)
    }
    assert.lengthOf(script.interrupted, 1)
  }).pipe(Effect.scoped)
)

it.effect("so does a client that leaves after the first seconds, while no headers are sent yet", () =>
  Effect.gen(function* () {
    const { ask, script } = yield* open()
    for (const cancel_on_disconnect of [false, true]) {
      const before = script.submitted.length
      const controller = new AbortController()
      const body = { prompt: "wait for it", cancel_on_disconnect }
      const asked = yield* Effect.forkChild(Effect.exit(ask(turn, { body, signal: controller.signal })))
      yield* TestClock.withLive(untilTrue(() => script.submitted.length > before))
      yield* TestClock.adjust("20 seconds")
      assert.isUndefined(asked.pollUnsafe())
      controller.abort()
      if (cancel_on_disconnect) yield* TestClock.withLive(untilTrue(() => script.interrupted.length > 0))
      yield* Fiber.interrupt(asked)
    }
    assert.lengthOf(script.interrupted, 1)
  }).pipe(Effect.scoped)
)

it.live("a late answer to a key that was used before says that it is a replay", () =>
  Effect.gen(function* () {
    const { ask, call, script } = yield* openLate
    const request = { body: { prompt: "wait for it" }, headers: { "idempotency-key": "key" } }
    const first = yield* ask(turn, request)
    const second = yield* ask(turn, request)
    assert.deepStrictEqual(
      [first, second].map(({ headers }) => headers.get("idempotent-replayed")),
      [null, "true"]
    )
    yield* Deferred.succeed(script.release, undefined)
    const texts = yield* Effect.promise(() => Promise.all([first.text(), second.text()]))
    assert.strictEqual(texts[0].trim(), texts[1].trim())
    assert.strictEqual((yield* call(turn, request)).text.trim(), texts[0].trim())
    assert.lengthOf(script.submitted, 1)
  }).pipe(Effect.scoped)
)
