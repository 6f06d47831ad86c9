/** The event feed and a reader that falls behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Stream } from "effect"
import { EventFeed } from "../../src/runtime/EventFeed.ts"
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

describe("the event feed", () => {
  const WithLedger = EventFeed.layer.pipe(Layer.provideMerge(SqliteLedger.layer(":memory:")))
  const event = (seq: number): StoredEvent => ({ session: id, seq, turn: 1, at: 0, message: say(`${seq}`) })

  it.effect("a reader that fell far behind gets every event from the ledger", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
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
        feed.publish(id, batch, false)
      }
      const seen = yield* Fiber.join(slow)
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 3_000 }, (_, n) => n + 1)
      )
      assert.strictEqual(feed.readers(), 0)
    }).pipe(Effect.provide(WithLedger))
  )

  it.effect("memory keeps 256 events for a reader that does not read, and none once there are more", () =>
    Effect.gen(function* () {
      const feed = yield* EventFeed
      const ledger = yield* Ledger
      /** Where a reader gets events from that are published, so many of them, while it reads none. */
      const sourcesOf = Effect.fnUntraced(function* (count: number) {
        const session = SessionId.make(`ses_${count}`)
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
        for (const event of later) feed.publish(session, [{ ...event, message: say("published") }], false)
        const read = yield* Effect.forEach(events.slice(1), () => Queue.take(texts))
        yield* Fiber.join(reader)
        return [...new Set(read.slice(2).map((text) => (text.includes("published") ? "memory" : "ledger")))]
      })
      assert.deepStrictEqual(yield* sourcesOf(256), ["memory"])
      assert.deepStrictEqual(yield* sourcesOf(257), ["ledger"])
    }).pipe(Effect.provide(WithLedger))
  )
})
