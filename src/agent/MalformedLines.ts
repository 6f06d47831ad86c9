/**
 * The lines of a child's stdout that were no message: how many there were, and the beginning of the first.
 *
 * The reader of the lines notes them. They are shown where a person looks for the reason of a silence: in the message of
 * a failed handshake, in `troupe doctor`, and with the session's processes in the dashboard.
 */
import { escapeSequences } from "./messagesIn.ts"
import { cut } from "../domain/cut.ts"

const maxCharacters = 200

/** Redacted with the beginning before it is cut, because a secret at the edge must be complete to be recognized. */
const edgeCharacters = 1_024

interface Redacting {
  readonly redact: (text: string) => string
}

export class MalformedLines {
  readonly #child: Redacting
  #count = 0
  #first: string | null = null

  constructor(child: Redacting) {
    this.#child = child
  }

  note(line: string): void {
    this.#count += 1
    if (this.#first !== null) return
    const beginning = line.slice(0, maxCharacters + edgeCharacters).replaceAll(escapeSequences, "")
    this.#first = beginningOf(this.#child.redact(beginning))
  }

  count(): number {
    return this.#count
  }

  /** The beginning of the first, redacted, on one line; `null`: there was none. */
  first(): string | null {
    return this.#first
  }

  /** A sentence about them that can follow another one, with the blank in front; empty where there was none. */
  sentence(): string {
    return sentenceOf({ count: this.#count, first: this.#first })
  }
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
