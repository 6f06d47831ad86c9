/**
 * The lines of a child's stdout that were no message: how many there were, and the beginning of the first.
 *
 * The reader of the lines notes them. They are shown where a person looks for the reason of a silence: in the message of
 * a failed handshake, in `troupe doctor`, and with the session's processes in the dashboard.
 */
import { escapeSequences } from "./messagesIn.ts"
import { cut } from "../domain/cut.ts"

export interface MalformedLines {
  readonly note: (line: string) => void
  readonly count: () => number
  /** The beginning of the first, redacted, on one line; `null`: there was none. */
  readonly first: () => string | null
  /** A sentence about them that can follow another one, with the blank in front; empty where there was none. */
  readonly sentence: () => string
}

const maxCharacters = 200

/** Redacted with the beginning before it is cut, because a secret at the edge must be complete to be recognized. */
const edgeCharacters = 1_024

export const make = (redact: (text: string) => string): MalformedLines => {
  let count = 0
  let first: string | null = null

  const note = (line: string) => {
    count += 1
    first ??= beginningOf(redact(line.slice(0, maxCharacters + edgeCharacters).replaceAll(escapeSequences, "")))
  }

  return { note, count: () => count, first: () => first, sentence: () => sentenceOf({ count, first }) }
}

/** What is shown of malformed lines. */
export interface Noise {
  readonly count: number
  readonly first: string | null
}

export const sentenceOf = ({ count, first }: Noise): string => {
  if (first === null) return ""
  return count === 1
    ? ` It wrote a line that is no message: "${first}".`
    : ` It wrote ${count} lines that are no message, the first: "${first}".`
}

const beginningOf = (text: string): string => {
  // oxlint-disable-next-line no-control-regex
  const flat = text.replaceAll(/[\u0000-\u0020\u007f\ufeff]+/g, " ").trim()
  // Copied by way of bytes: a substring keeps the whole line in memory, which may be 32 MiB.
  return flat.length > maxCharacters ? `${Buffer.from(cut(flat, maxCharacters)).toString()}…` : flat
}
