/**
 * A conversation in the ledger is in parts: pieces of its file, each compressed for itself, and as text. Each is a commit of
 * its own, so none is large.
 */
import { Effect, Option } from "effect"
import { promisify } from "node:util"
import { gunzip, gzip } from "node:zlib"
import * as ConversationFiles from "../agent/ConversationFiles.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { CapsuleRecord, Ledger, LedgerWrite } from "../ledger/Ledger.ts"

/** Of the file, in one part. */
export const partBytes = 512 * 1024

const compressed = promisify(gzip)
const decompressed = promisify(gunzip)

/** `first`: the number of the first of them. */
export const of = (session: SessionId, series: number, first: number, data: Buffer) =>
  Effect.forEach(
    Array.from({ length: Math.ceil(data.length / partBytes) }, (_, nth) => nth),
    Effect.fnUntraced(function* (nth) {
      const piece = data.subarray(nth * partBytes, (nth + 1) * partBytes)
      const packed = yield* Effect.promise(() => compressed(piece))
      const part: LedgerWrite = {
        _tag: "CapsulePartStored",
        session,
        series,
        nth: first + nth,
        data: packed.toString("base64")
      }
      return part
    })
  )

/** `null`: not all of it is there. */
export const read = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  { bytes, hash, parts, series, session }: CapsuleRecord
) {
  const pieces: Array<Buffer> = []
  for (let nth = 0; nth < parts; nth++) {
    const data = yield* ledger.capsulePart(session, series, nth)
    if (Option.isNone(data)) return null
    const part = Buffer.from(data.value, "base64")
    pieces.push(yield* Effect.promise(() => decompressed(part, { maxOutputLength: partBytes })))
  }
  const content = Buffer.concat(pieces)
  return content.length === bytes && ConversationFiles.hashOf(content) === hash ? content : null
})
