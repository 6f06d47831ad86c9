/** Bodies as unusual clients send them: byte by byte, compressed, with a byte order mark, in odd forms. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import { appToken } from "./callers.ts"
import { open } from "./harness.ts"

interface Exchange {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
  readonly text: string
}

/** Sends the head, then the pieces one by one, each in a packet of its own. */
const post = (base: string, path: string, headers: ReadonlyArray<string>, pieces: ReadonlyArray<string | Buffer>) =>
  Effect.promise(
    () =>
      new Promise<Exchange>((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: Number(new URL(base).port), noDelay: true })
        let text = ""
        socket.on("data", (data) => (text += data.toString()))
        socket.on("error", reject)
        socket.on("close", () => {
          const last = text.slice(text.lastIndexOf("HTTP/1.1 "))
          const body = last.slice(last.indexOf("\r\n\r\n") + 4)
          const json = body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1)
          resolve({ status: Number(last.slice(9, 12)), json: json === "" ? undefined : JSON.parse(json), text })
        })
        const head = [`POST ${path} HTTP/1.1`, "host: localhost", "connection: close"]
        socket.write([...head, `authorization: Bearer ${appToken}`, ...headers, "", ""].join("\r\n"))
        const send = (nth: number): void => {
          const piece = pieces[nth]
          if (piece !== undefined) socket.write(piece, () => setImmediate(send, nth + 1))
        }
        send(0)
      })
  )

const whole = (base: string, body: Buffer, headers: ReadonlyArray<string> = []) =>
  post(
    base,
    "/sessions/ses_ok/turn",
    ["content-type: application/json", `content-length: ${body.length}`, ...headers],
    [body]
  )

it.live("a body is read with a byte order mark, and is refused where it is not UTF-8 or compressed", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    const body = JSON.stringify({ prompt: "complete" })
    assert.strictEqual((yield* whole(base, Buffer.from(`\ufeff${body}`))).status, 200)
    const latin = yield* whole(base, Buffer.from('{"prompt":"é"}', "latin1"))
    assert.deepStrictEqual([latin.status, latin.json.detail], [400, "The body must be UTF-8."])
    const zipped = yield* whole(base, gzipSync(body), ["content-encoding: gzip"])
    assert.deepStrictEqual([zipped.status, zipped.json.error], [415, "unsupported_media_type"])
    assert.match(zipped.json.detail, /without content-encoding/)
    assert.strictEqual((yield* whole(base, Buffer.from(body), ["content-encoding: identity"])).status, 200)
    // Of a key that is there twice the last counts, as in every JSON.parse.
    const twice = yield* whole(base, Buffer.from('{"prompt":"crash","prompt":"complete"}'))
    assert.strictEqual(twice.status, 200)
  }).pipe(Effect.scoped)
)

it.live("a body may come in chunks of one byte, and after the server has said that it may", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    const body = JSON.stringify({ prompt: "complete" })
    const json = "content-type: application/json"
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`)
    const chunked = yield* post(
      base,
      "/sessions/ses_ok/turn",
      [json, "transfer-encoding: chunked"],
      [...chunks, "0\r\n\r\n"]
    )
    assert.deepStrictEqual([chunked.status, chunked.json.ok], [200, true])
    const headers = [json, `content-length: ${body.length}`, "expect: 100-continue"]
    const expected = yield* post(base, "/sessions/ses_ok/turn", headers, [body])
    assert.match(expected.text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  }).pipe(Effect.scoped)
)

it.live("an upload is stored by its file name, in whatever form that comes, or is refused", () =>
  Effect.gen(function* () {
    const { base, script } = yield* open()
    const upload = (disposition: string | Buffer, content: string, more = "", headers: ReadonlyArray<string> = []) => {
      const body = Buffer.concat([
        Buffer.from("--edge\r\ncontent-disposition: form-data; "),
        Buffer.from(disposition),
        Buffer.from(`\r\ncontent-type: text/plain\r\n\r\n${content}\r\n${more}--edge--\r\n`)
      ])
      const type = "content-type: multipart/form-data; boundary=edge"
      return post(base, "/files", [type, `content-length: ${body.length}`, ...headers], [body])
    }
    const nameOf = (answer: Exchange) => [answer.status, answer.json.name, answer.json.size]
    assert.deepStrictEqual(nameOf(yield* upload('name="file"; filename="a.txt"', "")), [200, "a.txt", 0])
    assert.deepStrictEqual(nameOf(yield* upload('name="file"; filename="über.txt"', "one")), [200, "über.txt", 3])
    const starred = yield* upload(`name="file"; filename="x"; filename*=UTF-8''%e2%82%ac.txt`, "one")
    assert.deepStrictEqual(nameOf(starred), [200, "€.txt", 3])
    const latin = yield* upload(Buffer.from('name="file"; filename="\u00e9.txt"', "latin1"), "one")
    assert.oneOf(latin.status, [200, 400], latin.text)
    // The boundary is one at the start of a line only.
    const edges = yield* upload('name="file"; filename="edges"', "a --edge b\r\n-- edge\r\n--edg")
    assert.deepStrictEqual(nameOf(edges), [200, "edges", 26])
    const without = yield* upload('name="file"', "one")
    assert.strictEqual(without.status, 400)
    assert.match(without.json.detail, /^file is missing/)
    const again = '--edge\r\ncontent-disposition: form-data; name="file"; filename="b"\r\n\r\ntwo\r\n'
    const both = yield* upload('name="file"; filename="a"', "one", again)
    assert.deepStrictEqual([both.status, both.json.error], [400, "invalid_request"])
    const zipped = yield* upload('name="file"; filename="a"', "one", "", ["content-encoding: gzip"])
    assert.deepStrictEqual([zipped.status, zipped.json.error], [415, "unsupported_media_type"])
    assert.isAtLeast(script.stored.length, 4)
  }).pipe(Effect.scoped)
)
