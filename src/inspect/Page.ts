/**
 * The page's files, as `npm run page` built them, under `/inspect/`.
 *
 * The files are listed once and served by name from that list, so no path leads outside of it. Browsers may cache for
 * ever what Vite named by its content; they request the page itself each time. The page loads nothing from another
 * origin and runs no script but these files.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { extname, join, relative, sep } from "node:path"
import { gzipSync } from "node:zlib"
import { builtPage, notBuilt } from "../http/builtPage.ts"
import { takesGzip } from "../http/gzipped.ts"
import type { ProblemDetails } from "../http/contract/Problem.ts"
import { nothingHere } from "../http/problemOfCause.ts"
import { answeringRefusals } from "../http/problems.ts"

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8"
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
}

interface File {
  readonly bytes: Uint8Array
  /** As gzip; `null` where it would not be smaller. */
  readonly gzipped: Uint8Array | null
  readonly type: string
  readonly etag: string
  readonly cache: string
}

const missing = {
  code: "not_found",
  status: 404,
  detail: "The dashboard has no such file. It begins at /inspect/."
} as const satisfies ProblemDetails

const indexFile = "index.html"

/** Reads the files at the first request, so that a checkout may be built while the server runs. */
const reading = (directory: string) => {
  let cached: ReadonlyMap<string, File> | undefined
  return Effect.gen(function* () {
    if (cached !== undefined) return cached
    const files = yield* Effect.tryPromise(() => readAll(directory)).pipe(
      Effect.orElseSucceed((): ReadonlyMap<string, File> => new Map())
    )
    if (!files.has(indexFile)) return yield* Effect.fail(notBuilt)
    return (cached = files)
  })
}

const readAll = async (directory: string): Promise<ReadonlyMap<string, File>> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = new Map<string, File>()
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(directory, path).split(sep).join("/")
    const bytes = await readFile(path)
    const gzipped = gzipSync(bytes)
    files.set(name, {
      bytes,
      gzipped: gzipped.length < bytes.length ? gzipped : null,
      type: contentTypes[extname(name)] ?? "application/octet-stream",
      // Weak: it names the content, whichever encoding is sent.
      etag: `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      // Vite puts what it names by its content into `assets`.
      cache: name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-store"
    })
  }
  return files
}

/** A person's browser is led to the page; for a program nothing is at `/`. Relative, so that it is right below a prefix. */
const toThePage = (request: HttpServerRequest.HttpServerRequest) =>
  answeringRefusals(
    request.headers["accept"]?.includes("text/html") === true
      ? Effect.succeed(HttpServerResponse.redirect("inspect/", { status: 302, headers: { vary: "accept" } }))
      : Effect.fail(nothingHere)
  )

/** From another directory than the build's, for tests. */
export const layerFrom = (directory: string) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const files = reading(directory)
      const serve = (request: HttpServerRequest.HttpServerRequest) =>
        Effect.gen(function* () {
          const [path = ""] = request.url.split("?")
          // The route matches this address as well.
          if (path === "/inspect") return HttpServerResponse.redirect("/inspect/", { status: 308 })
          const name = path.slice("/inspect/".length)
          const file = (yield* files).get(name === "" ? indexFile : name)
          if (file === undefined || name === indexFile) return yield* Effect.fail(missing)
          const sent = { ...headers, etag: file.etag, "cache-control": file.cache, vary: "accept-encoding" }
          if (request.headers["if-none-match"] === file.etag)
            return HttpServerResponse.empty({ status: 304, headers: sent })
          const gzipped = takesGzip(request) ? file.gzipped : null
          return gzipped === null
            ? HttpServerResponse.uint8Array(file.bytes, { contentType: file.type, headers: sent })
            : HttpServerResponse.uint8Array(gzipped, {
                contentType: file.type,
                headers: { ...sent, "content-encoding": "gzip" }
              })
        }).pipe(answeringRefusals)
      yield* router.add("GET", "/inspect/*", serve)
      yield* router.add("GET", "/", toThePage)
    })
  )

export const layer = layerFrom(builtPage)
