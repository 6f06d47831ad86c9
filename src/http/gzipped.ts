/** Compresses a body as it is written: what was written is sent at once, and not when a block is full. */
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { constants, createGzip, gzip } from "node:zlib"
import type { Gzip } from "node:zlib"

/** As the header says it; `gzip;q=0` is a no. */
export const takesGzip = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  (headers["accept-encoding"] ?? "")
    .split(",")
    .some((each) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(each))

/** A window of 32 kB, and 128 kB beside it, for as long as the stream is open. */
const options = { flush: constants.Z_SYNC_FLUSH, level: 6, memLevel: 7 }

export const gzipped = <E, R>(body: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Compressor()),
        (compressor) => Effect.sync(() => compressor.close())
      ),
      (compressor) =>
        Stream.concat(
          Stream.mapEffect(body, (bytes) => compressor.write(bytes)),
          Stream.suspend(() => Stream.fromEffect(compressor.end))
        )
    )
  )

/** A whole text. Most of what can be saved is saved by a level that takes a third of the default's time. */
export const gzippedText = (text: string): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    gzip(text, { level: 3 }, (error, bytes) => resume(error === null ? Effect.succeed(bytes) : Effect.die(error)))
  })

class Compressor {
  readonly #gzip: Gzip = createGzip(options)
  #out: Array<Buffer> = []

  constructor() {
    this.#gzip.on("data", (bytes: Buffer) => this.#out.push(bytes))
    // One that is closed while it writes.
    this.#gzip.on("error", () => {})
  }

  /** All that it has given out by the time it has taken everything. */
  write(bytes: Uint8Array): Effect.Effect<Uint8Array> {
    return Effect.callback((resume) => {
      this.#gzip.write(bytes, () => resume(Effect.succeed(this.#taken())))
    })
  }

  readonly end: Effect.Effect<Uint8Array> = Effect.callback((resume) => {
    this.#gzip.once("end", () => resume(Effect.succeed(this.#taken())))
    this.#gzip.end()
  })

  close(): void {
    this.#gzip.destroy()
  }

  #taken(): Uint8Array {
    const out = Buffer.concat(this.#out)
    this.#out = []
    return out
  }
}
