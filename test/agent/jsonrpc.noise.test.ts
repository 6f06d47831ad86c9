/** The JSON-RPC peer over real pipes: messages beside noise on their lines, and what other libraries make of ids. */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as JsonRpc from "../../src/agent/JsonRpc.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { RpcError } from "../../src/agent/RpcError.ts"
import { spawn, specOf } from "./child.ts"
import { connect, within } from "./jsonrpc.peer.ts"

layer(Processes.layer, { excludeTestServices: true })("a JSON-RPC peer beside noise", (it) => {
  it.effect.each([
    ["an error that is null", '{"jsonrpc":"2.0","id":$ID,"result":7,"error":null}\n'],
    ["an id that is a text", '{"jsonrpc":"2.0","id":"$ID","result":7}\n'],
    ["a BOM", '\ufeff{"jsonrpc":"2.0","id":$ID,"result":7}\n'],
    ["NULs", '\0\0{"jsonrpc":"2.0","id":$ID,"result":7}\0\n'],
    ["a window title", '\u001b]0;agent\u0007{"jsonrpc":"2.0","id":$ID,"result":7}\n'],
    ["colours", '\u001b[2K\u001b[1;32m{"jsonrpc":"2.0","id":$ID,"result":7}\u001b[0m\n'],
    ["CRLF", '{"jsonrpc":"2.0","id":$ID,"result":7}\r\n'],
    ["CR alone", '{"jsonrpc":"2.0","id":$ID,"result":7}\r'],
    ["a batch", '[{"method":"said","params":1},{"jsonrpc":"2.0","id":$ID,"result":7}]\n'],
    ["two messages on a line", '{"method":"said","params":{"a":"}{\\""}} {"jsonrpc":"2.0","id":$ID,"result":7}\n']
  ])("a reply is understood with %s, and nothing of the line is malformed", ([, text = ""]) =>
    Effect.gen(function* () {
      const { peer, child, notifications } = yield* connect()
      assert.strictEqual(yield* peer.request("raw", { text }, within), 7)
      assert.strictEqual(child.malformed.count(), 0, child.malformed.first() ?? "")
      assert.strictEqual(notifications.length, text.includes("said") ? 1 : 0)
    })
  )

  it.effect.each([
    ["a log without a line end", 'Loading {"a":1} {"id":… {"jsonrpc":"2.0","id":$ID,"result":7}\n'],
    ["progress that overwrites itself", '10%\r20%\r{"jsonrpc":"2.0","id":$ID,"result":7}\n'],
    ["a text behind it", '{"jsonrpc":"2.0","id":$ID,"result":7}done\n'],
    ["a member of a batch that is none", '[1,{"jsonrpc":"2.0","id":$ID,"result":7}]\n']
  ])("a reply is understood beside %s, which is noted", ([, text = ""]) =>
    Effect.gen(function* () {
      const { peer, child } = yield* connect()
      assert.strictEqual(yield* peer.request("raw", { text }, within), 7)
      assert.isAbove(child.malformed.count(), 0)
    })
  )

  it.effect("a line that is no message is noted by its beginning, without secrets and escape sequences", () =>
    Effect.gen(function* () {
      const child = yield* spawn({ ...specOf("wire"), secrets: ["a-secret-of-the-child"] })
      const peer = yield* JsonRpc.make(child, {
        versioned: true,
        onNotification: () => Effect.void,
        onRequest: () => Effect.succeed(null)
      })
      assert.isNull(child.malformed.first())
      const text = `\u001b[31mkey a-secret-of-the-child ${"x".repeat(185)}a-secret-of-the-child\nmore\n{"id":$ID,"result":1}\n`
      yield* peer.request("raw", { text }, within)
      assert.strictEqual(child.malformed.count(), 2)
      const first = child.malformed.first() ?? ""
      assert.strictEqual(first.slice(0, 20), "key [redacted] xxxxx")
      assert.strictEqual(first.length, 201)
      assert.strictEqual(child.malformed.sentence(), ` It wrote 2 lines that are no message, the first: "${first}".`)
    })
  )

  it.effect("a notification with the id null is a notification", () =>
    Effect.gen(function* () {
      const { peer, notifications } = yield* connect()
      yield* peer.request(
        "raw",
        { text: '{"id":null,"method":"said","params":{"i":1}}\n{"id":$ID,"result":1}\n' },
        within
      )
      assert.deepStrictEqual(notifications, [{ i: 1 }])
    })
  )

  it.effect("an error without an id fails the request that was written last, and no earlier one", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const replies: Array<unknown> = []
      yield* peer.post("silent", {}, (reply) => Effect.sync(() => void replies.push(reply)))
      const text = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n'
      const error = yield* Effect.flip(peer.request("raw", { text }, within))
      assert.deepStrictEqual(error, new RpcError({ code: -32700, message: "Parse error" }))
      assert.deepStrictEqual(replies, [])
      // Now the post is the only one that waits.
      const failed = yield* Deferred.make<unknown>()
      yield* peer.post("raw", { text: text.replace('"id":null,', "") }, (reply) => Deferred.succeed(failed, reply))
      assert.deepStrictEqual(yield* Deferred.await(failed), { ok: false, error })
    })
  )

  it.effect("an error without an id about an unknown method is about a notification, and fails no request", () =>
    Effect.gen(function* () {
      const { peer } = yield* connect()
      const text =
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"no cancel here"}}\n{"id":$ID,"result":1}\n'
      assert.strictEqual(yield* peer.request("raw", { text }, within), 1)
    })
  )

  it.effect("a request of ours that the other side's terminal repeats is not answered", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const { peer, child } = yield* connect({
        onRequest: (method) => Effect.sync(() => void asked.push(method))
      })
      const text = 'got {"id":$ID,"method":"raw","params":{}}\n{"id":$ID,"result":1}\n'
      assert.strictEqual(yield* peer.request("raw", { text }, within), 1)
      assert.deepStrictEqual(asked, [])
      assert.isAbove(child.malformed.count(), 0)
    })
  )
})
