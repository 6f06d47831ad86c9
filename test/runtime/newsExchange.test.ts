/** News between two Troupes on one ledger: what is told here is heard there, as ids and numbers, and merged. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { SessionId } from "../../src/domain/Ids.ts"
import { longestNote } from "../../src/ledger/Announcements.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { News } from "../../src/runtime/News.ts"
import type { SessionLifecycle, SessionNews } from "../../src/runtime/News.ts"
import * as Notes from "../../src/runtime/newsNotes.ts"
import { session } from "../ledger/samples.ts"
import * as AnnouncementsInMemory from "./announcementsInMemory.ts"

const [a, b] = [SessionId.make("ses_a"), SessionId.make("ses_b")]

const newsOf = (session: SessionId, fields: Partial<SessionNews> = {}): SessionNews => ({
  session,
  step: 0,
  event: 0,
  stepped: false,
  settled: [],
  closed: false,
  stored: { events: [], characters: 0, step: null },
  ...fields
})

const told = (session: SessionId, fields: Partial<SessionNews>): SessionNews =>
  newsOf(session, { ...fields, stored: null })

const joining = (channel: AnnouncementsInMemory.Channel, name: string) =>
  Effect.gen(function* () {
    const ledger = Layer.mock(Ledger)({ announcements: channel.join(name), away: () => null })
    const built = yield* Layer.buildWithScope(Layer.fresh(News.layer).pipe(Layer.provide(ledger)), yield* Effect.scope)
    const news = Context.get(built, News)
    const heard: Array<SessionNews> = []
    const lifecycles: Array<SessionLifecycle> = []
    news.watchUnsafe(null, (one) => heard.push(one))
    news.watchLifecycleUnsafe((one) => lifecycles.push(one))
    return { heard, lifecycles, news }
  })

describe("news between Troupes", () => {
  it.effect("are heard at once after a pause, and then once for all of a session every 25 ms", () =>
    Effect.gen(function* () {
      const channel = AnnouncementsInMemory.make()
      const here = yield* joining(channel, "here")
      here.news.tell(newsOf(a, { event: 1 }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(channel.sent, [], "nobody else listens")
      const there = yield* joining(channel, "there")
      assert.deepStrictEqual(here.lifecycles, [{ what: "missed" }])

      const told1 = newsOf(a, { step: 3, event: 7, stepped: true, settled: [1] })
      here.news.tell(told1)
      assert.strictEqual(here.heard.at(-1), told1, "with what was stored")
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(there.heard, [told(a, { step: 3, event: 7, stepped: true, settled: [1] })])
      for (let event = 8; event < 58; event++) here.news.tell(newsOf(a, { step: 3, event }))
      here.news.tell(newsOf(a, { step: 4, event: 58, stepped: true, settled: [2, 3], closed: true }))
      here.news.tell(newsOf(b, { step: 1, event: 1 }))
      yield* TestClock.adjust("23 millis")
      assert.strictEqual(there.heard.length, 1)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(there.heard.slice(1), [
        told(a, { step: 4, event: 58, stepped: true, settled: [2, 3], closed: true }),
        told(b, { step: 1, event: 1 })
      ])
      assert.strictEqual(here.heard.length, 54, "nobody hears their own")
    }).pipe(Effect.scoped)
  )

  it.effect("tell of sessions that are created, removed or missed, and of no text of theirs", () =>
    Effect.gen(function* () {
      const channel = AnnouncementsInMemory.make()
      const [here, there] = [yield* joining(channel, "here"), yield* joining(channel, "there")]
      const record = session({ id: a, systemPrompt: "a secret" })
      here.news.tellLifecycle({ what: "created", record })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(there.heard, [told(a, { stepped: true })])
      here.news.tellLifecycle({ what: "removed", record })
      here.news.missed(b)
      here.news.missed(null)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(there.heard.slice(1), [told(b, { stepped: true })])
      const { app, createdAt } = record
      const [removed] = there.lifecycles
      assert.deepInclude(removed, { what: "removed" })
      assert.deepInclude(removed?.what === "removed" ? removed.record : {}, { id: a, app, createdAt })
      assert.notInclude(channel.sent.join(), "secret")
    }).pipe(Effect.scoped)
  )

  it.effect("tell of sessions that have another owner: of few each, of many that there are some", () =>
    Effect.gen(function* () {
      const channel = AnnouncementsInMemory.make()
      const [here, there] = [yield* joining(channel, "here"), yield* joining(channel, "there")]
      here.news.moved([a, b])
      yield* TestClock.adjust("1 second")
      const both = [told(a, { stepped: true }), told(b, { stepped: true })]
      assert.deepStrictEqual([here.heard, there.heard], [both, both])
      for (const batch of [21, 200, 200]) {
        here.news.moved(Array.from({ length: batch }, (_, nth) => SessionId.make(`ses_${nth}`)))
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([here.heard, there.heard], [both, both])
      // At once, and then once for the others.
      assert.deepStrictEqual(there.lifecycles, [{ what: "moved" }, { what: "moved" }])
      assert.lengthOf(here.lifecycles, 4)
    }).pipe(Effect.scoped)
  )

  it.effect("say who is read: at once, again while it is, and not 15 s after that", () =>
    Effect.gen(function* () {
      const channel = AnnouncementsInMemory.make()
      const [here, there] = [yield* joining(channel, "here"), yield* joining(channel, "there")]
      let came = 0
      yield* there.news.writer(a, { readerCame: () => void came++, isDue: () => {}, flush: Effect.void })
      const reading = yield* Scope.make()
      assert.isFalse(there.news.isRead(a))
      yield* Scope.provide(here.news.read(a), reading)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([there.news.isRead(a), there.news.isRead(b), came], [true, false, 1])
      yield* TestClock.adjust("60 seconds")
      assert.isTrue(there.news.isRead(a))
      yield* Scope.close(reading, Exit.void)
      assert.isFalse(here.news.isRead(a))
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(there.news.isRead(a))
      yield* TestClock.adjust("6 seconds")
      assert.isFalse(there.news.isRead(a))
    }).pipe(Effect.scoped)
  )

  it("are short, and those of a later version are passed over", () => {
    const ids = Array.from({ length: 100 }, (_, n) => SessionId.make(`ses_${String(n).padStart(27, "0")}`))
    const notes = [
      Notes.ofTold(told(ids[0] ?? a, { step: 1e15, event: 1e15, settled: ids.map((_, n) => 1e9 + n) })),
      ...Notes.ofReading(ids)
    ]
    for (const note of notes) assert.isAtMost(Buffer.byteLength(note), longestNote)
    assert.deepStrictEqual(
      notes.slice(1).flatMap((note) => {
        const read = Notes.read(note)
        return read?._tag === "Reading" ? read.sessions : []
      }),
      ids
    )
    for (const odd of ["", "{", "null", '{"_tag":"Later"}', '{"_tag":"Told","session":7}'])
      assert.isNull(Notes.read(odd))
  })
})
