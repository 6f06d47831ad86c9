/** What lasts ends with the token that it was asked for with: streams of the API, streamed turns, long turns. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { LateAnswers } from "../../src/http/lateAnswer.ts"
import { readEvents } from "../http/readEvents.ts"
import { open } from "./harness.ts"

const untilEvent = (reader: ReturnType<typeof readEvents>, wanted: string) =>
  Effect.gen(function* () {
    while (true) {
      const read = yield* reader.next
      assert.isDefined(read, `the stream ended before its event ${wanted}`)
      if (read.event === wanted) return read
    }
  })

it.effect.each(["revoked", "rotated"] as const)(
  "streams and long turns end within 5 s after their token was %s",
  (what) =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const other = yield* troupe.mint("other")
      const id = yield* troupe.create(token)
      const second = yield* troupe.create(token)
      const untouched = readEvents(
        yield* troupe.ask(`/sessions/${yield* troupe.create(other)}/events`, { token: other })
      )
      const events = readEvents(yield* troupe.ask(`/sessions/${id}/events`, { token }))
      const headers = { accept: "text/event-stream" }
      const streamed = readEvents(
        yield* troupe.ask(`/sessions/${id}/turn`, { token, headers, body: { prompt: "hang" } })
      )
      const whole = yield* Effect.forkChild(
        troupe.call(`/sessions/${second}/turn`, { token, body: { prompt: "hang" } })
      )
      const ofSecond = readEvents(yield* troupe.ask(`/sessions/${second}/events`, { token }))
      assert.strictEqual((yield* streamed.next)?.comment, "troupe")
      for (const reader of [events, ofSecond]) yield* untilEvent(reader, "state")

      const change = what === "revoked" ? troupe.apps.revoke("desk") : Effect.asVoid(troupe.apps.rotate("desk"))
      yield* Effect.orDie(change)
      yield* TestClock.adjust("4 seconds")
      for (const reader of [events, streamed, ofSecond]) {
        const { data } = yield* untilEvent(reader, "error")
        const problem = JSON.parse(data ?? "")
        assert.deepInclude(problem, { ok: false, error: "unauthorized", status: 401 })
        assert.match(problem.detail, /revoked or replaced/)
        assert.deepStrictEqual(yield* reader.rest, [])
      }
      const refused = yield* Fiber.join(whole)
      assert.deepStrictEqual([refused.status, refused.json.error], [401, "unauthorized"])
      // What another app reads goes on.
      assert.strictEqual((yield* troupe.turn(other, "nobody", "hello")).error, "session_not_found")
      assert.strictEqual((yield* untouched.next)?.comment, "troupe")
      yield* untouched.leave
    }).pipe(Effect.scoped)
)

it.effect("a turn whose headers were sent before its outcome ends within 5 s after its token was revoked, too", () =>
  Effect.gen(function* () {
    const soon = { headersWithin: "1 milli", keptAliveEvery: "15 seconds" } as const
    const troupe = yield* open().pipe(Effect.provideService(LateAnswers, soon))
    const token = yield* troupe.mint("desk")
    const id = yield* troupe.create(token)
    const asked = yield* Effect.forkChild(troupe.ask(`/sessions/${id}/turn`, { token, body: { prompt: "hang" } }))
    const events = readEvents(yield* troupe.ask(`/sessions/${id}/events`, { token }))
    yield* untilEvent(events, "state")
    yield* TestClock.adjust("1 milli")
    const late = yield* Fiber.join(asked)
    assert.deepStrictEqual([late.status, late.headers.get("x-troupe-late-answer")], [200, "true"])
    yield* Effect.orDie(troupe.apps.revoke("desk"))
    yield* TestClock.adjust("4 seconds")
    const problem = JSON.parse(yield* Effect.promise(() => late.text()))
    assert.deepInclude(problem, { ok: false, error: "unauthorized", status: 401 })
  }).pipe(Effect.scoped)
)
