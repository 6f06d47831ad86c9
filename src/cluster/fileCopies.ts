/**
 * Fetches uploaded files from the nodes that have them, as the bytes of a signed request. What has come whole, by its size,
 * is moved to its place; a copy that was begun leaves nothing there.
 */
import { Clock, Effect, FileSystem, Layer, Path, Result, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { randomUUID } from "node:crypto"
import { Ledger } from "../ledger/Ledger.ts"
import type { FileRecord, NodeRecord } from "../ledger/Ledger.ts"
import { FileAway, FileCopies } from "../runtime/FileCopies.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import * as NodeClients from "./nodeClients.ts"
import { sign, signatureHeader } from "./signature.ts"

/** Below a node's address, before a file's app and id. */
export const nodeFilesPath = "/node/files"

/** What is signed of a request without a body. */
export const signedOf = (path: string): string => `GET ${path}`

/** To the first byte. */
const answersWithin = "5 seconds"
/** For the whole of it: so long, and as long as a slow network takes for its bytes. */
const comesWithin = ({ size }: FileRecord) => 10_000 + size / slowestBytesPerMilli
const slowestBytesPerMilli = 1_000

/** Path parts of a file below `files/`: its app when it was stored, its id and its name. */
const placeParts = 3

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { dataDir, node } = yield* RuntimeSettings
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (node === undefined) {
    return FileCopies.of({ pathOf: (record) => record.path, here: (record) => Effect.succeed(record.path) })
  }
  const { name: self, secret } = node
  const http = yield* HttpClient.HttpClient
  const root = path.join(path.resolve(dataDir), "files")

  const pathOf = (record: FileRecord) =>
    record.node === self ? record.path : path.join(root, ...record.path.split(path.sep).slice(-placeParts))

  const isAt = (file: string, { size }: FileRecord) =>
    fs.stat(file).pipe(
      Effect.map((info) => info.type === "File" && Number(info.size) === size),
      Effect.orElseSucceed(() => false)
    )

  /** Fails with a sentence's end. */
  const fetchTo = Effect.fnUntraced(function* (file: string, record: FileRecord, { url }: NodeRecord) {
    if (url === null || secret === undefined) return yield* Effect.fail("has no address for other nodes")
    const asked = `${nodeFilesPath}/${encodeURIComponent(record.app)}/${encodeURIComponent(record.id)}`
    const now = yield* Clock.currentTimeMillis
    const request = HttpClientRequest.get(url + asked).pipe(
      HttpClientRequest.setHeader(signatureHeader, sign(secret, now, signedOf(asked)))
    )
    const response = yield* http.execute(request).pipe(
      Effect.timeout(answersWithin),
      Effect.mapError(() => "does not answer")
    )
    if (response.status === 404) return yield* Effect.fail("does not have it")
    if (response.status !== 200) return yield* Effect.fail(`answers ${response.status}`)
    let size = 0
    const within = Stream.mapEffect(response.stream, (chunk) => {
      size += chunk.byteLength
      return size > record.size ? Effect.fail("sends another file") : Effect.succeed(chunk)
    })
    yield* Stream.run(within, fs.sink(file, { flag: "wx", mode: 0o600 })).pipe(
      Effect.timeout(comesWithin(record)),
      Effect.mapError((error) =>
        typeof error === "string" ? error : "stopped in the middle, or the disk is full here"
      )
    )
    if (size !== record.size) return yield* Effect.fail(`sends ${size} bytes of ${record.size}`)
  })

  const fetchFrom = Effect.fnUntraced(function* (target: string, record: FileRecord, from: NodeRecord) {
    const upload = path.join(root, ".incoming", `${record.id}.${randomUUID()}`)
    yield* Effect.gen(function* () {
      yield* Effect.mapError(fs.makeDirectory(upload, { recursive: true, mode: 0o700 }), ({ message }) => message)
      yield* fetchTo(path.join(upload, path.basename(target)), record, from)
      const directory = path.dirname(target)
      const moved = Effect.gen(function* () {
        yield* fs.makeDirectory(path.dirname(directory), { recursive: true, mode: 0o700 })
        // As old as the file: it is to be removed with it.
        yield* fs.utimes(upload, record.createdAt / 1_000, record.createdAt / 1_000)
        yield* fs.rename(upload, directory)
      })
      yield* Effect.catchIf(
        moved,
        () => true,
        ({ message }) =>
          Effect.flatMap(isAt(target, record), (isThere) => (isThere ? Effect.void : Effect.fail(message)))
      )
    }).pipe(Effect.ensuring(Effect.ignore(fs.remove(upload, { recursive: true, force: true }))))
  })

  const here = Effect.fn("FileCopies.here")(function* (record: FileRecord) {
    const target = pathOf(record)
    if (yield* isAt(target, record)) return target
    const away = (reason: string) => new FileAway({ record, reason })
    const nodes = yield* Effect.mapError(ledger.nodes, ({ message }) => away(message))
    const others = nodes.filter(({ name }) => name !== self)
    const first = others.filter(({ name }) => name === record.node)
    const reasons = first.length === 0 ? [`${record.node ?? "its node"} does not live`] : []
    // One that had it for a session of its own has a copy.
    for (const other of [...first, ...others.filter(({ name }) => name !== record.node)]) {
      const fetched = yield* Effect.result(fetchFrom(target, record, other))
      if (Result.isSuccess(fetched)) return target
      reasons.push(`${other.name} ${fetched.failure}`)
    }
    return yield* away(reasons.join("; "))
  })

  return FileCopies.of({ pathOf, here })
})

export const layer = Layer.effect(
  FileCopies,
  Effect.suspend(() => make)
).pipe(Layer.provide(NodeClients.httpLayer))
