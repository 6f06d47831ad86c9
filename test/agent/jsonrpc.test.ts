/** The JSON-RPC peer over real pipes, against a peer that keeps the protocol and one that does not. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as JsonRpc from "../../src/agent/JsonRpc.ts"
import { RpcError } from "../../src/agent/RpcError.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { spawn, specOf } from "./child.ts"

const within = { timeoutMillis: 10_000 }

/** A peer connected to the fixture `wire`, and its notifications. */
const connect = Effect.fnUntraced(function* (options: Partial<JsonRpc.PeerOptions> = {}) {
  const notifications: Array<unknown> = []
  const child = yield* spawn(specOf("wire"))
  const peer = yield* JsonRpc.make(child, {
    versioned: true,
    onNotification: (_method, params) => Effect.sync(() => void notifications.push(params)),
    onRequest: (method) => Effect.fail(new RpcError({ code: -32601, message: `no ${method} here` })),
    ...options
  })
  return { child, peer, notifications }
})

layer(Processes.layer, { excludeTestServices: true })("a JSON-RPC peer", (it) => {
  it.effect("each of many concurrent requests gets its own result", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const answers = yield* Effect.forEach(
        Array.from({ length: 300 }, (_, i) => i),
        (i) => peer.request("echo", { i }, within),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers,
        Array.from({ length: 300 }, (_, i) => ({ i }))
      )
    })
  )

  it.effect("a request fails with the other side's error, its code and data", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const error = yield* Effect.flip(peer.request("fail", {}, within))
      assert.deepStrictEqual(
        error,
        new RpcError({ code: -32001, message: "Server overloaded; retry later.", data: { at: 1 } })
      )
    })
  )

  it.effect("a request fails at its deadline, and its late reply is ignored", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const error = yield* Effect.flip(peer.request("silent", {}, { timeoutMillis: 50 }))
      assert.deepInclude(error, { _tag: "RpcSilent", reason: "timeout", method: "silent" })
      assert.strictEqual(yield* peer.request("late", { of: 0 }, within), "in time")
      assert.strictEqual(yield* peer.malformedLines, 0)
    })
  )

  it.effect("requests of the other side are answered whatever their ids are: 0, text, and null", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({ onRequest: (method, params) => Effect.succeed({ method, params }) })
      for (const id of [0, "0", "a-b-c", 7]) {
        assert.deepStrictEqual(yield* peer.request("ask", { id, method: "may-i" }, within), {
          jsonrpc: "2.0",
          id,
          result: { method: "may-i", params: { why: "because" } }
        })
      }
    })
  )

  it.effect("an unknown request, a defect and an absent result are answered as the protocol demands", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({
        onRequest: (method) => {
          if (method === "broken") return Effect.die(new Error("a secret cause"))
          if (method === "nothing") return Effect.succeed(undefined)
          return Effect.fail(new RpcError({ code: -32601, message: `no ${method} here` }))
        }
      })
      const answerTo = (method: string) => peer.request("ask", { id: 0, method }, within)
      assert.deepStrictEqual(yield* answerTo("unknown"), {
        jsonrpc: "2.0",
        id: 0,
        error: { code: -32601, message: "no unknown here" }
      })
      assert.deepStrictEqual(yield* answerTo("broken"), {
        jsonrpc: "2.0",
        id: 0,
        error: { code: -32603, message: "Internal error" }
      })
      assert.deepStrictEqual(yield* answerTo("nothing"), { jsonrpc: "2.0", id: 0, result: null })
    })
  )

  it.effect("reading goes on while an answer takes its time, and too many requests at once are refused", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({ onRequest: () => Effect.never })
      const errors = yield* peer.request("askMany", { count: 70 }, within)
      assert.deepStrictEqual(
        errors,
        Array.from({ length: 6 }, () => ({ code: -32000, message: "Too many requests at once." }))
      )
      assert.deepStrictEqual(yield* peer.request("echo", "still here", within), "still here")
    })
  )

  it.effect("lines that are no message are skipped and counted", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request("garbage", {}, within)
      assert.deepStrictEqual(notifications, [{ i: 1 }])
      // Not JSON, an array, a number, a text, null, an empty object, an id alone, and blanks. Empty lines don't count.
      assert.strictEqual(yield* peer.malformedLines, 8)
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

  it.effect("waiting requests fail once when the peer dies, and later ones fail at once", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const replies: Array<unknown> = []
      yield* peer.post("silent", {}, (reply) => Effect.sync(() => void replies.push(reply)))
      const error = yield* Effect.flip(peer.request("die", {}, within))
      assert.deepInclude(error, { _tag: "RpcSilent", reason: "closed" })
      yield* peer.ended
      assert.strictEqual(replies.length, 1)
      assert.deepInclude(replies[0], { ok: false })
      assert.deepInclude(yield* Effect.flip(peer.request("echo", {}, within)), { reason: "closed" })
      assert.deepInclude(yield* Effect.flip(peer.post("echo", {}, () => Effect.die("never"))), { reason: "closed" })
      yield* peer.notify("echo", {})
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

  it.effect("the version is omitted where the protocol has none", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({ versioned: false, onRequest: () => Effect.succeed(true) })
      assert.deepStrictEqual(yield* peer.request("ask", { id: 0, method: "x" }, within), { id: 0, result: true })
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
