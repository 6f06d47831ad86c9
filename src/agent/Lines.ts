/**
 * Bytes in, whole lines out: the splitter under every NDJSON reader here.
 *
 * Works a chunk at a time and without effects, since it runs for every byte an agent says. Bytes that are no UTF-8
 * become U+FFFD and take nothing else with them; a character cut by a chunk's edge is put together again.
 */

/** The longest line taken, in bytes. Codex writes a 3 MB message as one line twice; no agent was seen over 8 MB. */
export const maxLineBytes = 32 * 1024 * 1024

export interface Lines {
  /** The lines that this chunk completes, without their ends (LF or CRLF). Blank lines are left out. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<string>
  /** What came after the last line end, for when nothing more will come. */
  readonly rest: () => ReadonlyArray<string>
  /** A line was longer than the bound. Nothing is kept from then on, and `push` gives nothing any more. */
  readonly overflowed: () => boolean
}

export const make = (limitBytes: number = maxLineBytes): Lines => {
  let parts: Array<Buffer> = []
  let held = 0
  let overflowed = false

  const overflow = () => {
    overflowed = true
    parts = []
    held = 0
  }

  const push = (chunk: Uint8Array): ReadonlyArray<string> => {
    if (overflowed) return []
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const last = bytes.lastIndexOf(lineFeed)
    if (last === -1) {
      if (held + bytes.length > limitBytes) overflow()
      else if (bytes.length > 0) {
        // A copy: the reader of the pipe may use its buffer again.
        parts.push(Buffer.from(bytes))
        held += bytes.length
      }
      return []
    }
    const first = bytes.indexOf(lineFeed)
    if (held + first > limitBytes) {
      overflow()
      return []
    }
    // In UTF-8 a line feed is never part of another character, so a block of whole lines may be decoded at once.
    const text =
      held === 0
        ? bytes.toString("utf8", 0, last)
        : Buffer.concat([...parts, bytes.subarray(0, last)], held + last).toString("utf8")
    parts = []
    held = bytes.length - last - 1
    if (held > limitBytes) overflow()
    else if (held > 0) parts = [Buffer.from(bytes.subarray(last + 1))]
    return linesOf(text)
  }

  const rest = () => {
    const text = Buffer.concat(parts, held).toString("utf8")
    parts = []
    held = 0
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
