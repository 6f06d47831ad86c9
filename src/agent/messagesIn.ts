/**
 * Reads the JSON-RPC messages of one line, also where the line has more than one message in it, or something else beside
 * it.
 *
 * A line is one message, and is tried as that first. Otherwise it is searched: an agent's libraries and wrappers also
 * write a BOM, NULs, a terminal's escape sequence (a window title), or a log text without a line end in front of a
 * message, two messages without a line end between them, or a batch (JSON-RPC 2.0, section 6).
 */
import type { JsonObject } from "../domain/json.ts"
import { shallow } from "./shallow.ts"

export interface LineMessage {
  readonly message: JsonObject
  /** Its own text where it was found in the line; the whole line where it is the line, or one of a batch. */
  readonly raw: string
}

export interface LineContent {
  readonly messages: ReadonlyArray<LineMessage>
  /** The line has a text that belongs to no message. Marks without a meaning (BOM, NUL, escape sequences) are none. */
  readonly hasNoise: boolean
}

/** The beginning of a message: an object whose first key is one of those that a message has. */
const beginning = /\{\s*"(?:jsonrpc|id|method|params|result|error)"\s*:/g

/**
 * How many beginnings that turn out to be none are tried. Each may cost a search to the end of the line, so a long search
 * counts more: a hostile line of 30 MB was measured to take 0.6 s, where eight searches of it took 5 s.
 */
const maxFailedBeginnings = 8
const searchedAsOne = 1024 * 1024

/** ANSI escape sequences: CSI (colours), OSC (titles), and those of two characters. */
// oxlint-disable-next-line no-control-regex
export const escapeSequences = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g

/** What means nothing between messages: control characters, BOM, blanks, and the brackets and commas of a batch. */
// oxlint-disable-next-line no-control-regex
const meaningless = /[\u0000-\u0020\u007f\ufeff[\],]/g

/** The text without the marks that a terminal or an encoding puts around JSON, which has none of them. */
export const withoutMarks = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(escapeSequences, "").replaceAll(/[\u0000\u001b\ufeff]/g, "")

export const messagesIn = (line: string): LineContent => {
  const whole = parsed(line)
  if (isObject(whole)) return isMessage(whole) ? { messages: [{ message: whole, raw: line }], hasNoise: false } : noise
  if (Array.isArray(whole)) {
    const messages = whole.flatMap((message) =>
      isObject(message) && isMessage(message) ? [{ message, raw: line }] : []
    )
    return { messages, hasNoise: messages.length < whole.length || whole.length === 0 }
  }
  return whole === undefined ? search(line) : noise
}

const noise: LineContent = { messages: [], hasNoise: true }

const search = (line: string): LineContent => {
  const messages: Array<LineMessage> = []
  let between = ""
  let end = 0
  let failed = 0
  const starts = new RegExp(beginning)
  while (failed < maxFailedBeginnings) {
    starts.lastIndex = Math.max(starts.lastIndex, end)
    const start = starts.exec(line)?.index
    if (start === undefined) break
    const close = closingBrace(line, start)
    const raw = close === -1 ? "" : line.slice(start, close + 1)
    const message = raw === "" ? undefined : parsed(raw)
    if (isObject(message) && isMessage(message)) {
      messages.push({ message, raw })
      between += line.slice(end, start)
      end = close + 1
    } else failed += 1 + Math.floor((line.length - start) / searchedAsOne)
  }
  between += line.slice(end)
  return { messages, hasNoise: between.replaceAll(escapeSequences, "").replaceAll(meaningless, "") !== "" }
}

/** Where the object that begins at `start` ends; -1: it does not. */
const closingBrace = (line: string, start: number): number => {
  const marks = /["{}]/g
  marks.lastIndex = start
  for (let depth = 0, mark = marks.exec(line); mark !== null; mark = marks.exec(line)) {
    if (mark[0] === '"') {
      const end = closingQuote(line, mark.index)
      if (end === -1) return -1
      marks.lastIndex = end + 1
    } else {
      depth += mark[0] === "{" ? 1 : -1
      if (depth === 0) return mark.index
    }
  }
  return -1
}

const closingQuote = (line: string, start: number): number => {
  for (let end = line.indexOf('"', start + 1); end !== -1; end = line.indexOf('"', end + 1)) {
    let backslashes = 0
    while (line[end - 1 - backslashes] === "\\") backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  return -1
}

/** A request, a notification or a reply. Without the version an object with an error may be a log line, so it needs an id. */
const isMessage = (object: JsonObject): boolean =>
  typeof object["method"] === "string" ||
  ("id" in object && ("result" in object || "error" in object)) ||
  ("jsonrpc" in object && isObject(object["error"]))

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `undefined`: no JSON. What is nested deeper than anything that is read is `null`. */
const parsed = (text: string): unknown => {
  try {
    return shallow(JSON.parse(text), text)
  } catch {
    return undefined
  }
}
