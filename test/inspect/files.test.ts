/** The page's files: served by name from a list, with headers that allow no other script or origin. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import * as Http from "../../src/http/Http.ts"
import * as Page from "../../src/inspect/Page.ts"
import { callsTo } from "../http/callsTo.ts"
import { options } from "../http/harness.ts"
import { makeScript } from "../http/makeScript.ts"
import { scratch } from "./harness.ts"

const built = Effect.map(scratch, (directory) => {
  const page = join(directory, "page")
  mkdirSync(join(page, "assets"), { recursive: true })
  writeFileSync(join(page, "index.html"), `<!doctype html><script type="module" src="./assets/main-abc.js"></script>`)
  writeFileSync(join(page, "assets", "main-abc.js"), "console.log(1)")
  writeFileSync(join(page, "assets", "main-abc.css"), "body {}")
  writeFileSync(join(directory, "secret"), "not to be seen")
  symlinkSync(join(directory, "secret"), join(page, "assets", "link.txt"))
  return page
})

const serving = Effect.fnUntraced(function* (directory: string) {
  const { services } = yield* makeScript
  const context = yield* Layer.build(
    Http.layerWith({ ...options, port: 0 }, Page.layerFrom(directory)).pipe(Layer.provide(services))
  )
  return callsTo(HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address))
})

/** Sends a path unchanged: `fetch` would normalize it. */
const raw = (base: string, path: string) =>
  Effect.promise(
    () =>
      new Promise<string>((resolve, reject) => {
        const { hostname, port } = new URL(base)
        const socket = connect({ host: hostname, port: Number(port) })
        let all = ""
        socket.on("data", (data) => (all += data.toString()))
        socket.on("close", () => resolve(all))
        socket.on("error", reject)
        socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`)
      })
  )

describe("the dashboard's files", () => {
  it.live("leads a browser from / to the page, and tells a program that nothing is there", () =>
    Effect.gen(function* () {
      const { base, call } = yield* serving(yield* built)
      const headers = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" }
      const followed = yield* Effect.promise(() => fetch(`${base}/`, { headers }))
      assert.deepStrictEqual([followed.url, followed.status], [`${base}/inspect/`, 200])
      const redirect = yield* Effect.promise(() => fetch(`${base}/`, { headers, redirect: "manual" }))
      assert.strictEqual(redirect.status, 302)
      assert.strictEqual(redirect.headers.get("vary"), "accept")
      for (const accept of ["*/*", "application/json"]) {
        const { json, status } = yield* call("/", { token: null, headers: { accept } })
        assert.deepStrictEqual([status, json.error], [404, "not_found"])
      }
    }).pipe(Effect.scoped)
  )

  it.live("serves the page with a policy that allows its own scripts only, and uncached", () =>
    Effect.gen(function* () {
      const { base, call } = yield* serving(yield* built)
      const { headers, status, text } = yield* call("/inspect/", { token: null })
      assert.strictEqual(status, 200)
      assert.include(text, "assets/main-abc.js")
      assert.strictEqual(headers.get("content-type"), "text/html; charset=utf-8")
      assert.strictEqual(headers.get("cache-control"), "no-store")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("referrer-policy"), "no-referrer")
      const policy = headers.get("content-security-policy") ?? ""
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"]) {
        assert.include(policy.split("; "), rule)
      }
      assert.notInclude(policy, "unsafe")
      const bare = yield* raw(base, "/inspect")
      assert.match(bare, /^HTTP\/1.1 308 [^]*\r\nlocation: \/inspect\/\r\n/i)
    }).pipe(Effect.scoped)
  )

  it.live("sends files compressed to clients that accept gzip, and uncompressed to others", () =>
    Effect.gen(function* () {
      const directory = yield* built
      const rules = "body { color: red }\n".repeat(500)
      writeFileSync(join(directory, "assets", "main-abc.css"), rules)
      const { call } = yield* serving(directory)
      const get = (path: string, accept: string) => call(path, { token: null, headers: { "accept-encoding": accept } })
      const packed = yield* get("/inspect/assets/main-abc.css", "br, gzip")
      assert.strictEqual(packed.headers.get("content-encoding"), "gzip")
      assert.isBelow(Number(packed.headers.get("content-length")), 500)
      assert.strictEqual(packed.text, rules)
      for (const accept of ["identity", "gzip;q=0, br"]) {
        const plain = yield* get("/inspect/assets/main-abc.css", accept)
        assert.isNull(plain.headers.get("content-encoding"))
        assert.strictEqual(plain.headers.get("vary"), "accept-encoding")
        assert.strictEqual(plain.text, rules)
      }
      // Compression does not make a few bytes smaller.
      assert.isNull((yield* get("/inspect/assets/main-abc.js", "gzip")).headers.get("content-encoding"))
    }).pipe(Effect.scoped)
  )

  it.live("lets browsers cache files that are named by their content", () =>
    Effect.gen(function* () {
      const { call } = yield* serving(yield* built)
      const { headers, status, text } = yield* call("/inspect/assets/main-abc.js", { token: null })
      assert.strictEqual(status, 200)
      assert.strictEqual(text, "console.log(1)")
      assert.strictEqual(headers.get("content-type"), "text/javascript; charset=utf-8")
      assert.match(headers.get("cache-control") ?? "", /immutable/)
      const etag = headers.get("etag")!
      const again = yield* call("/inspect/assets/main-abc.js", { token: null, headers: { "if-none-match": etag } })
      assert.strictEqual(again.status, 304)
      assert.strictEqual(again.text, "")
      const head = yield* call("/inspect/assets/main-abc.css", { token: null, method: "HEAD" })
      assert.strictEqual(head.status, 200)
      assert.strictEqual(head.headers.get("content-length"), "7")
      assert.strictEqual(head.text, "")
    }).pipe(Effect.scoped)
  )

  it.live("serves no file outside of its directory", () =>
    Effect.gen(function* () {
      const { base } = yield* serving(yield* built)
      for (const path of [
        "/inspect/../secret",
        "/inspect/%2e%2e/secret",
        "/inspect/..%2fsecret",
        "/inspect/assets/../../secret",
        "/inspect/assets/..%5c..%5csecret",
        "/inspect//etc/passwd",
        "/inspect/%2fetc%2fpasswd",
        "/inspect/assets/link.txt",
        "/inspect/assets/",
        "/inspect/assets",
        "/inspect/assets/main-abc.js%00.html",
        "/inspect/index.html",
        "/inspect/__proto__"
      ]) {
        const reply = yield* raw(base, path)
        assert.match(reply, /^HTTP\/1.1 40[04] /, path)
        assert.notInclude(reply, "not to be seen")
      }
    }).pipe(Effect.scoped)
  )

  it.live("says how to build the page where it is not built, and serves it once it is", () =>
    Effect.gen(function* () {
      const directory = join(yield* scratch, "page")
      const { call } = yield* serving(directory)
      const { headers, json, status } = yield* call("/inspect/", { token: null })
      assert.strictEqual(status, 503)
      assert.strictEqual(json.error, "page_not_built")
      assert.include(json.detail, "npm run page")
      assert.strictEqual(headers.get("retry-after"), "10")
      mkdirSync(directory)
      writeFileSync(join(directory, "index.html"), "<!doctype html>")
      assert.strictEqual((yield* call("/inspect/", { token: null })).status, 200)
    }).pipe(Effect.scoped)
  )
})
