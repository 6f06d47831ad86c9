/**
 * Splits a stream of bytes into lines, for every NDJSON reader of this area.
 *
 * It works a chunk at a time and without effects, because it runs for every byte that an agent writes. Bytes that are no
 * UTF-8 become U+FFFD and affect no other character; a character that is cut by a chunk's edge is joined again.
 */

/** The limit of a line. Codex writes a 3 MB message as one line, twice; no agent was seen to write more than 8 MB. */
export const maxLineBytes = 32 * 1024 * 1024

export interface Lines {
  /** The lines that this chunk completes, without their ends (LF or CRLF). Blank lines are left out. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<string>
  /** What came after the last line end. To be called when the stream has ended. */
  readonly rest: () => ReadonlyArray<string>
  /** A line was longer than the limit. From then on nothing is buffered, and `push` gives nothing. */
  readonly overflowed: () => boolean
}

export const make = (limitBytes: number = maxLineBytes): Lines => {
  let parts: Array<Buffer> = []
  let bufferedBytes = 0
  let overflowed = false

  const overflow = () => {
    overflowed = true
    parts = []
    bufferedBytes = 0
  }

  const push = (chunk: Uint8Array): ReadonlyArray<string> => {
    if (overflowed) return []
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const last = bytes.lastIndexOf(lineFeed)
    if (last === -1) {
      if (bufferedBytes + bytes.length > limitBytes) overflow()
      else if (bytes.length > 0) {
        // A copy, because the reader of the pipe may reuse its buffer.
        parts.push(Buffer.from(bytes))
        bufferedBytes += bytes.length
      }
      return []
    }
    const first = bytes.indexOf(lineFeed)
    if (bufferedBytes + first > limitBytes) {
      overflow()
      return []
    }
    // In UTF-8 a line feed is never part of another character, so a block of whole lines may be decoded at once.
    const text =
      bufferedBytes === 0
        ? bytes.toString("utf8", 0, last)
        : Buffer.concat([...parts, bytes.subarray(0, last)], bufferedBytes + last).toString("utf8")
    parts = []
    bufferedBytes = bytes.length - last - 1
    if (bufferedBytes > limitBytes) overflow()
    else if (bufferedBytes > 0) parts = [Buffer.from(bytes.subarray(last + 1))]
    return linesOf(text)
  }

  const rest = () => {
    const text = Buffer.concat(parts, bufferedBytes).toString("utf8")
    parts = []
    bufferedBytes = 0
    return linesOf(text)
  }

  return { push, rest, overflowed: () => overflowed }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start)
    const end = feed === -1 ? text.length : feed
    const trimmed = text.charCodeAt(end - 1) === carriageReturn ? end - 1 : end
    if (trimmed > start) lines.push(text.slice(start, trimmed))
    start = end + 1
  }
  return lines
}
