/**
 * Reads the body of a request, once. A short one, as nearly all are, is read in Node's own callbacks: Effect's reader
 * begins two fibers and a watch of the whole stream for each (decision 0049).
 */
import { Effect } from "effect"
import { HttpIncomingMessage } from "effect/http"
import type { HttpServerError, HttpServerRequest } from "effect/http"
import { IncomingMessage } from "node:http"

type Request = HttpServerRequest.HttpServerRequest

const shortBytes = 64 * 1024

/** The request has it from then on, as its `text` and its `arrayBuffer`: to be taken from it when this is done, not before. */
export const readBody = (request: Request): Effect.Effect<Uint8Array, HttpServerError.HttpServerError> =>
  Effect.withFiber((fiber) => {
    const { source } = request
    const most = Math.min(shortBytes, Number(fiber.getRef(HttpIncomingMessage.MaxBodySize) ?? shortBytes))
    // Node holds the sender to this length. A body in chunks has none, and may be of any.
    const isShort = Number(request.headers["content-length"]) <= most
    return isShort && source instanceof IncomingMessage && !source.readableDidRead && !source.destroyed
      ? shortBody(request, source)
      : byEffect(request)
  })

const byEffect = (request: Request) => Effect.map(request.arrayBuffer, (bytes) => new Uint8Array(bytes))

const decoder = new TextDecoder()

const shortBody = (request: Request, source: IncomingMessage) =>
  Effect.callback<Uint8Array, HttpServerError.HttpServerError>((resume) => {
    const chunks: Array<Buffer> = []
    const take = (chunk: Buffer) => void chunks.push(chunk)
    const end = () => {
      stop()
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      keep(request, bytes)
      resume(Effect.succeed(bytes))
    }
    // Effect's reader says what became of it.
    const breakOff = () => {
      stop()
      resume(byEffect(request))
    }
    const stop = () => {
      source.off("data", take)
      source.off("end", end)
      source.off("error", breakOff)
      source.off("close", breakOff)
    }
    source.on("data", take)
    source.on("end", end)
    source.on("error", breakOff)
    source.on("close", breakOff)
    return Effect.sync(stop)
  })

/** As Effect's reader keeps it. */
const keep = (request: Request, bytes: Buffer): void => {
  const text = Effect.succeed(decoder.decode(bytes))
  const arrayBuffer = Effect.sync(() => new Uint8Array(bytes).buffer)
  Object.defineProperties(request, { text: { value: text }, arrayBuffer: { value: arrayBuffer } })
}
