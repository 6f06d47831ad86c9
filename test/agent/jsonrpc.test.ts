/** The JSON-RPC peer over real pipes: requests, replies and errors, of both sides. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RpcError } from "../../src/agent/RpcError.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect, within } from "./jsonrpc.peer.ts"

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

  it.effect("a text with a line separator of Unicode reaches an agent that ends its lines there", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const text = "one\u2028two\u2029three"
      assert.deepStrictEqual(yield* peer.request("echo", { text }, within), { text })
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

  it.effect("an error whose code is no number that a program can have is one all the same", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      for (const code of ["1e308", "-1e308", "9007199254740993", "1.5", '"E1"', "null"]) {
        const text = `{"id":$ID,"error":{"code":${code},"message":"odd"}}\n`
        const error = yield* Effect.flip(peer.request("raw", { text }, within))
        assert.deepStrictEqual(error, new RpcError({ code: -32603, message: "odd" }), code)
      }
    })
  )

  it.effect("an output that can't be read because of a defect ends the connection, and says so", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({ onNotification: () => Effect.die(new Error("a fault, with sk-12345678")) })
      const text = '{"method":"said"}\n{"id":$ID,"result":1}\n'
      const error = yield* Effect.flip(peer.request("raw", { text }, within))
      assert.deepInclude(error, { reason: "closed" })
      const ended = yield* Effect.flip(peer.ended)
      assert.strictEqual(ended.class, "protocol")
      assert.include(ended.message, "a fault, with [redacted]")
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

  it.effect("the version is omitted where the protocol has none", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect({ versioned: false, onRequest: () => Effect.succeed(true) })
      assert.deepStrictEqual(yield* peer.request("ask", { id: 0, method: "x" }, within), { id: 0, result: true })
    })
  )
})
