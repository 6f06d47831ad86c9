/** The stream under a JSON-RPC peer: broken lines, too long ones, floods, their order, and a side that stops reading. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Processes } from "../../src/agent/Processes.ts"
import { connect, within } from "./jsonrpc.peer.ts"

layer(Processes.layer, { excludeTestServices: true })("the stream of a JSON-RPC peer", (it) => {
  it.effect("lines that are no message are skipped and counted", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request("garbage", {}, within)
      assert.deepStrictEqual(notifications, [{ i: 1 }])
      // Not JSON, an array, a number, a text, null, an empty object, and an id alone. Empty lines and blanks don't count.
      assert.strictEqual(yield* peer.malformedLines, 7)
    })
  )

  it.effect("lines that come a byte at a time, in the middle of characters, are joined", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request("halves", {}, within)
      assert.deepStrictEqual(notifications, [{ text: "größer, 漢字, 🙂" }])
    })
  )

  it.effect("bytes that are no UTF-8 do no harm", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request("invalid", {}, within)
      assert.deepStrictEqual(notifications, [{ text: "a\uFFFD\uFFFDz" }])
    })
  )

  it.effect("a line of nearly 32 MiB is accepted, and a longer one ends the peer with a protocol failure", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const limit = 32 * 1024 * 1024
      const text = yield* peer.request("big", { bytes: limit - 100 }, within)
      assert.strictEqual(String(text).length, limit - 100)
      const error = yield* Effect.flip(peer.request("big", { bytes: limit + 1 }, within))
      assert.deepInclude(error, { _tag: "RpcSilent", reason: "closed" })
      const failure = yield* Effect.flip(peer.ended)
      assert.strictEqual(failure.class, "protocol")
      assert.include(failure.message, "33554432 bytes")
    })
  )

  it.effect("every notification of a flood is handled, in order", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request("flood", { count: 50_000 }, within)
      assert.strictEqual(notifications.length, 50_000)
      assert.isTrue(notifications.every((params, i) => (params as { readonly i: number }).i === i))
    })
  )

  it.effect("the next line is not read while a notification is handled", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const firstBegun = yield* Deferred.make<void>()
      let begun = 0
      const { peer } = yield* connect({
        onNotification: () =>
          Effect.suspend(() => {
            begun += 1
            return Effect.andThen(Deferred.succeed(firstBegun, undefined), Deferred.await(gate))
          })
      })
      const flood = yield* Effect.forkScoped(peer.request("flood", { count: 1_000 }, within), {
        startImmediately: true
      })
      yield* Deferred.await(firstBegun)
      const echo = yield* Effect.exit(peer.request("echo", {}, { timeoutMillis: 100 }))
      assert.isTrue(Exit.isFailure(echo))
      assert.strictEqual(begun, 1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(flood)
      assert.strictEqual(begun, 1_000)
    })
  )

  it.effect("the handler of a post's reply runs in wire order", () =>
    Effect.gen(function* () {
      const order: Array<unknown> = []
      const done = yield* Deferred.make<void>()
      const { peer } = yield* connect({
        onNotification: (_, params) => Effect.sync(() => void order.push(params))
      })
      yield* peer.post("flood", { count: 3 }, (reply) =>
        Effect.andThen(
          Effect.sync(() => void order.push(reply)),
          Deferred.succeed(done, undefined)
        )
      )
      yield* Deferred.await(done)
      assert.deepStrictEqual(order, [{ i: 0 }, { i: 1 }, { i: 2 }, { ok: true, result: 3 }])
    })
  )

  it.effect("half a line at the end is counted as malformed", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* Effect.exit(peer.request("half", {}, within))
      yield* peer.ended
      assert.deepStrictEqual(notifications, [])
      assert.strictEqual(yield* peer.malformedLines, 1)
    })
  )
})

describe("a JSON-RPC peer that stops reading", () => {
  it.effect("the queue of writes is bounded, and a write fails at its deadline", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      yield* TestClock.withLive(peer.request("deaf", {}, within))
      const line = { text: "x".repeat(64 * 1024) }
      // The pipe and the queue of writes take some; the rest waits for a reader that never comes.
      const posts = yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: 200 }),
          () =>
            Effect.match(
              peer.post("silent", line, () => Effect.void),
              {
                onSuccess: () => "written",
                onFailure: (error) => error.reason
              }
            ),
          {
            concurrency: "unbounded"
          }
        )
      )
      yield* TestClock.withLive(Effect.sleep("100 millis"))
      yield* TestClock.adjust("30 seconds")
      const outcomes = yield* Fiber.join(posts)
      assert.isAbove(outcomes.filter((outcome) => outcome === "timeout").length, 100)
      assert.isFalse(outcomes.some((outcome) => outcome === "closed"))
    }).pipe(Effect.provide(Processes.layer))
  )
})
