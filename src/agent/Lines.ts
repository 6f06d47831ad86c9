/**
 * Splits a stream of bytes into lines, for every NDJSON reader of this area.
 *
 * It works a chunk at a time and without effects, because it runs for every byte that an agent writes. Bytes that are no
 * UTF-8 become U+FFFD and affect no other character; a character that is cut by a chunk's edge is joined again.
 */

/** The limit of a line. Codex writes a 3 MB message as one line, twice; no agent was seen to write more than 8 MB. */
export const maxLineBytes = 32 * 1024 * 1024

/** A buffer that grew beyond this for one long line is given back behind it. */
const keptBytes = 1024 * 1024

const minBufferBytes = 4 * 1024

/** Of every reader to which no line has come in two parts. */
const noBytes = Buffer.alloc(0)

export class Lines {
  readonly #limitBytes: number
  // The beginning of a line. It grows by doubling: a child that writes a byte at a time must not cost an object for each.
  #buffer: Buffer = noBytes
  #bufferedBytes = 0
  #overflowed = false

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** The lines that this chunk completes, without their ends (LF, CRLF, or CR alone). Blank lines are left out. */
  push(chunk: Uint8Array): ReadonlyArray<string> {
    if (this.#overflowed) return []
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const last = lastEnd(bytes)
    if (last === -1) {
      if (this.#bufferedBytes + bytes.length > this.#limitBytes) this.#overflow()
      else this.#append(bytes)
      return []
    }
    if (this.#bufferedBytes + firstEnd(bytes) > this.#limitBytes) {
      this.#overflow()
      return []
    }
    // In UTF-8 a line end is never part of another character, so a block of whole lines may be decoded at once.
    let text: string
    if (this.#bufferedBytes === 0) text = bytes.toString("utf8", 0, last)
    else {
      this.#append(bytes.subarray(0, last))
      text = this.#buffer.toString("utf8", 0, this.#bufferedBytes)
    }
    this.#clear()
    const rest = bytes.subarray(last + 1)
    if (rest.length > this.#limitBytes) this.#overflow()
    else if (rest.length > 0) this.#append(rest)
    return linesOf(text)
  }

  /** What came after the last line end. To be called when the stream has ended. */
  rest(): ReadonlyArray<string> {
    const text = this.#buffer.toString("utf8", 0, this.#bufferedBytes)
    this.#clear()
    return linesOf(text)
  }

  /** A line was longer than the limit. From then on nothing is buffered, and `push` gives nothing. */
  overflowed(): boolean {
    return this.#overflowed
  }

  #clear(): void {
    this.#bufferedBytes = 0
    if (this.#buffer.length > keptBytes) this.#buffer = noBytes
  }

  #overflow(): void {
    this.#overflowed = true
    this.#clear()
  }

  /** Copies, because the reader of the pipe may reuse its buffer. */
  #append(bytes: Buffer): void {
    const needed = this.#bufferedBytes + bytes.length
    if (needed > this.#buffer.length) {
      const size = Math.max(minBufferBytes, needed, Math.min(2 * this.#buffer.length, this.#limitBytes))
      const grown = Buffer.allocUnsafe(size)
      this.#buffer.copy(grown, 0, 0, this.#bufferedBytes)
      this.#buffer = grown
    }
    bytes.copy(this.#buffer, this.#bufferedBytes)
    this.#bufferedBytes = needed
  }
}

export const make = (limitBytes: number = maxLineBytes): Lines => new Lines(limitBytes)

const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * A lone CR ends a line too: progress that overwrites itself (`10%\r20%\r`) is not part of the message behind it. JSON
 * has no CR in its strings; the LF of a CRLF is an empty line.
 */
const lastEnd = (bytes: Buffer): number => Math.max(bytes.lastIndexOf(lineFeed), bytes.lastIndexOf(carriageReturn))

const firstEnd = (bytes: Buffer): number => {
  const feed = bytes.indexOf(lineFeed)
  const end = bytes.subarray(0, feed === -1 ? bytes.length : feed).indexOf(carriageReturn)
  return end === -1 ? feed : end
}

/**
 * Not a loop of `indexOf`: the optimizing compiler looked for a CR at each line, and so through all of the text. For one without CR that was
 * ten times what it costs to split it, and a sixth of what a chunk of text costs.
 */
const linesOf = (text: string): ReadonlyArray<string> =>
  (text.includes("\r") ? text.split(anyEnd) : text.split("\n")).filter(isSomething)

const anyEnd = /[\r\n]/

const isSomething = (line: string): boolean => line !== ""
