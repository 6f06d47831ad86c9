/** The typed client over a real server: its failures by their tags, and its streams over connections that break. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Client from "../../src/http/Client.ts"
import { cuttingProxy } from "./cuttingProxy.ts"
import { openHttp } from "./http.ts"

const opened = Effect.gen(function* () {
  const { baseUrl, tokens } = yield* openHttp()
  const proxy = yield* Effect.acquireRelease(
    Effect.promise(() => cuttingProxy(baseUrl)),
    (proxy) => Effect.promise(() => proxy[Symbol.asyncDispose]())
  )
  const options = { baseUrl: proxy.url, token: tokens.ours }
  const client = yield* Client.make(options)
  const { sessionId } = yield* client.sessions.create({ headers: {}, payload: {} })
  return { client, direct: { ...options, baseUrl }, options, proxy, sessionId }
})

it.live("a refusal is caught by its tag, and its message says what to do", () =>
  Effect.gen(function* () {
    const { client, options } = yield* opened
    const missing = client.sessions.get({ params: { id: "ses_none" } })
    const caught = yield* missing.pipe(
      Effect.map(({ sessionId }) => sessionId),
      Effect.catchTag("NotFound", ({ error, message }) => Effect.succeed(`${error}: ${message}`))
    )
    assert.strictEqual(
      caught,
      "session_not_found: No session of this app has that id. GET /sessions lists the ones there are."
    )
    const refused = yield* Effect.flip(Stream.runDrain(Client.events(options, "ses_none")))
    assert.strictEqual(refused._tag, "NotFound")
    assert.strictEqual(`session_not_found: ${refused.message}`, caught)
    const stranger = Client.streamTurn({ ...options, token: "nobody" }, "ses_none", { prompt: "x" })
    assert.strictEqual((yield* Effect.flip(Stream.runDrain(stranger)))._tag, "Unauthorized")
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("a session's events go on behind the last one where the connection is cut, until the session is closed", () =>
  Effect.gen(function* () {
    const { client, direct, options, proxy, sessionId } = yield* opened
    const params = { id: sessionId }
    const seen: Array<number> = []
    const reading = yield* Effect.forkChild(
      Stream.runForEach(Client.events(options, sessionId), ({ seq }) =>
        Effect.sync(() => {
          seen.push(seq)
          if (seen.length === 5 || seen.length === 12) proxy.cut()
        })
      )
    )
    yield* Stream.runDrain(Client.streamTurn(direct, sessionId, { prompt: "slow 30 40" }))
    assert.isAbove(seen.length, 12)
    yield* client.sessions.close({ params })
    yield* Effect.timeout(Fiber.join(reading), "30 seconds")
    // A second reader of what is closed ends by itself, with the same events.
    const all = yield* Stream.runCollect(Client.events(options, sessionId))
    assert.deepStrictEqual(
      seen,
      all.map(({ seq }) => seq)
    )
    assert.deepStrictEqual(
      seen,
      seen.map((_, nth) => nth + 1)
    )
    assert.deepStrictEqual(yield* Stream.runCollect(Client.events(options, sessionId, { after: seen.length })), [])
    const last = yield* Stream.runCollect(Client.events(options, sessionId, { after: -2 }))
    assert.deepStrictEqual(last, all.slice(-2))
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("a session's events can be read without following them, and from the end", () =>
  Effect.gen(function* () {
    const { options, sessionId } = yield* opened
    yield* Stream.runDrain(Client.streamTurn(options, sessionId, { prompt: "hello" }))
    const now = yield* Stream.runCollect(Client.events(options, sessionId, { follow: false }))
    assert.deepStrictEqual(
      now.map(({ seq }) => seq),
      now.map((_, nth) => nth + 1)
    )
    const end = yield* Stream.runCollect(Client.events(options, sessionId, { after: -1, follow: false }))
    assert.deepStrictEqual(end, now.slice(-1))
    const more = yield* Stream.runCollect(Client.events(options, sessionId, { after: -1_000, follow: false }))
    assert.deepStrictEqual(more, now)
    const wrong = yield* Effect.promise(() =>
      fetch(`${options.baseUrl}/sessions/${sessionId}/events?follow=maybe`, {
        headers: { authorization: `Bearer ${options.token as string}` }
      })
    )
    assert.strictEqual(wrong.status, 400)
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("a turn that is read along goes on where the connection is cut, and is taken once", () =>
  Effect.gen(function* () {
    const { client, options, proxy, sessionId } = yield* opened
    let count = 0
    const events = yield* Stream.runCollect(
      Client.streamTurn(options, sessionId, { prompt: "slow 30 40" }).pipe(
        Stream.tap(() =>
          Effect.sync(() => {
            count += 1
            if (count === 4 || count === 9) proxy.cut()
          })
        )
      )
    )
    const last = events.at(-1)!
    assert.containSubset(last, { event: "result", data: { ok: true, turnIndex: 1 } })
    const { turns } = yield* client.turns.list({ params: { id: sessionId }, query: {} })
    assert.strictEqual(turns.length, 1)
    // What came is what is stored of the turn, without a gap or a repeat.
    const texts = events.flatMap((event) => (event.event === "message" ? [JSON.stringify(event.data)] : []))
    assert.strictEqual(new Set(texts).size, texts.length)
    const ids = events.flatMap((event) => ("id" in event && event.id !== undefined ? [Number(event.id)] : []))
    assert.deepStrictEqual(
      ids,
      ids.toSorted((one, other) => one - other)
    )
    assert.strictEqual(texts.length, turns[0]!.events.length)
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("a turn whose connection is cut before anything came is sent again under its key only", () =>
  Effect.gen(function* () {
    const { client, options, proxy, sessionId } = yield* opened
    const submit = (key?: string) => {
      proxy.swallowAnswer()
      return Stream.runCollect(Client.streamTurn(options, sessionId, { prompt: "hello", queue: true }, key))
    }
    const unkeyed = yield* Effect.flip(submit())
    assert.strictEqual(unkeyed._tag, "HttpClientError")
    const keyed = yield* submit("once")
    assert.containSubset(keyed.at(-1), { event: "result", data: { ok: true, turnIndex: 2 } })
    const { turns } = yield* client.turns.list({ params: { id: sessionId }, query: {} })
    assert.strictEqual(turns.length, 2)
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)
