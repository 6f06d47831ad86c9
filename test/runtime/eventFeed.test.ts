/** The event feed and a reader that falls behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Stream } from "effect"
import { EventFeed } from "../../src/runtime/EventFeed.ts"
import { News } from "../../src/runtime/News.ts"
import type { SessionNews } from "../../src/runtime/News.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { opened } from "../ledger/samples.ts"

const id = SessionId.make("ses_feed")
const say = (text: string, more: Partial<SessionUpdate> = {}) =>
  updateMessage("t", { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId: "a", ...more })

const newsOf = (session: SessionId, events: ReadonlyArray<StoredEvent>, characters = 0): SessionNews => ({
  session,
  step: 0,
  event: events.at(-1)?.seq ?? 0,
  stepped: false,
  settled: [],
  closed: false,
  stored: { events, characters, step: null }
})

describe("the event feed", () => {
  const WithLedger = EventFeed.layer.pipe(
    Layer.provideMerge(News.layer),
    Layer.provideMerge(SqliteLedger.layer(":memory:"))
  )
  const event = (seq: number): StoredEvent => ({ session: id, seq, turn: 1, at: 0, message: say(`${seq}`) })

  it.effect("a reader that fell far behind gets every event from the ledger", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
      const news = yield* News
      const ledger = yield* Ledger
      yield* ledger.write([opened({ id })])
      const reading = feed.follow(id, 0, { live: true }).pipe(Stream.take(3_000))
      const slow = yield* Effect.forkChild(
        Stream.runFold(
          reading,
          () => [] as Array<number>,
          (seen, { seq }) => (seen.push(seq), seen)
        )
      )
      for (let from = 1; from <= 3_000; from += 100) {
        const batch = Array.from({ length: 100 }, (_, n) => event(from + n))
        yield* ledger.write(batch.map((event) => ({ _tag: "EventAppended", event })))
        news.tell(newsOf(id, batch))
      }
      const seen = yield* Fiber.join(slow)
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 3_000 }, (_, n) => n + 1)
      )
      assert.strictEqual(news.watchers(), 0)
    }).pipe(Effect.provide(WithLedger))
  )

  it.effect(
    "a reader reads the ledger after news that have nothing with them, and ends where the session is closed",
    () =>
      Effect.gen(function* () {
        const feed = yield* EventFeed
        const news = yield* News
        const ledger = yield* Ledger
        const append = (...events: ReadonlyArray<StoredEvent>) =>
          ledger.write(events.map((event) => ({ _tag: "EventAppended", event })))
        yield* ledger.write([opened({ id })])
        yield* append(event(1))
        const read = yield* Queue.unbounded<number>()
        const reader = yield* Effect.forkChild(
          feed.follow(id, 0, { live: true }).pipe(Stream.runForEach(({ seq }) => Queue.offer(read, seq)))
        )
        const next = (count: number) => Queue.takeN(read, count)
        assert.deepStrictEqual(yield* next(1), [1])
        yield* append(event(2), event(3))
        news.missed(id)
        assert.deepStrictEqual(yield* next(2), [2, 3])
        // Told by this process again, then by another one, which repeats some of it.
        yield* append(event(4))
        news.tell(newsOf(id, [event(4)]))
        assert.deepStrictEqual(yield* next(1), [4])
        yield* append(event(5))
        news.tell({ ...newsOf(id, []), stored: null })
        news.tell(newsOf(id, [event(5)]))
        yield* append(event(6))
        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed", closedAt: 1 } }
        ])
        news.missed(id)
        yield* Fiber.join(reader)
        assert.deepStrictEqual(yield* next(2), [5, 6])
        assert.strictEqual(news.watchers(), 0)
      }).pipe(Effect.provide(WithLedger))
  )

  it.effect("memory keeps 4,096 events and 2 MiB for a reader that does not read, and none once there is more", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
      const news = yield* News
      const ledger = yield* Ledger
      /** Where a reader gets events from that are told of, so many of them, while it reads none. */
      const sourcesOf = Effect.fnUntraced(function* (count: number, characters = 0) {
        const session = SessionId.make(`ses_${count}_${characters}`)
        const events = Array.from({ length: count + 3 }, (_, nth): StoredEvent => ({ ...event(nth + 1), session }))
        const [first, later] = [events.slice(0, 3), events.slice(3)]
        const append = (events: ReadonlyArray<StoredEvent>) =>
          ledger.write(events.map((event) => ({ _tag: "EventAppended", event })))
        yield* ledger.write([opened({ id: session })])
        yield* append(first)
        const texts = yield* Queue.bounded<string>(1)
        const reading = feed.follow(session, 0, { live: true }).pipe(
          Stream.take(events.length),
          Stream.runForEach(({ message }) => Queue.offer(texts, JSON.stringify(message)))
        )
        const reader = yield* Effect.forkChild(reading)
        // Of the first three, one is taken, one waits in the queue, and the reader is stuck with one.
        yield* Queue.take(texts)
        yield* append(later)
        for (const event of later) {
          news.tell(newsOf(session, [{ ...event, message: say("told") }], characters))
        }
        const read = yield* Effect.forEach(events.slice(1), () => Queue.take(texts))
        yield* Fiber.join(reader)
        return [...new Set(read.slice(2).map((text) => (text.includes("told") ? "memory" : "ledger")))]
      })
      assert.deepStrictEqual(yield* sourcesOf(4_096), ["memory"])
      assert.deepStrictEqual(yield* sourcesOf(4_097), ["ledger"])
      assert.deepStrictEqual(yield* sourcesOf(4, 512 * 1024), ["memory"])
      assert.deepStrictEqual(yield* sourcesOf(5, 512 * 1024), ["ledger"])
    }).pipe(Effect.provide(WithLedger))
  )
})
