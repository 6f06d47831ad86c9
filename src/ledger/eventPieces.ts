/**
 * Several events of one turn in one row: the first is the text of its message, and what follows is a list of pieces. An event of the
 * session that comes between those of the turn, as a new state, has a piece of its own kind.
 *
 * Events of a turn differ little in their text: a few words of an answer, a line of a tool's output. So a piece has only what is
 * between the text's beginning and its end, where it shares those with the last text that is stored as a whole. Texts are cut
 * and put together, never parsed, so a message reads as it was written, to the character.
 *
 *     AT.LENGTH=TEXT                       a whole text, to which the pieces behind it refer
 *     AT.LENGTH.BEGINNING.END:TEXT         what is between that many characters of it
 *     AT.LENGTH:TEXT                       the same as of the piece before
 *     AT.LENGTH!TEXT                       a whole text of the session's, to which no piece refers
 *
 * AT is the time since the event before, in milliseconds. All numbers are of base 36, lengths are in UTF-16 units.
 */
import { beginsWith } from "../domain/beginsWith.ts"

/** A text that is longer is stored as a whole: it is not looked through for each event. */
const longestCompared = 4_096
/** What a shorter piece must save, to be worth its longer head. */
const worthAHead = 6

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff

/** How many units both begin with, which are so many at least. Never half of a character, which no database keeps. */
const commonBeginning = (a: string, b: string, least: number): number => {
  const most = Math.min(a.length, b.length)
  let length = least
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length > 0 && isHigh(b.charCodeAt(length - 1)) ? length - 1 : length
}

/** How many units both end with, of at most so many, and so many at least. */
const commonEnd = (a: string, b: string, most: number, least: number): number => {
  let length = least
  while (length < most && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)) length++
  return length > 0 && isLow(b.charCodeAt(b.length - length)) ? length - 1 : length
}

/** Writes the pieces of one row. */
export class PieceWriter {
  #at: number
  #whole: string
  #beginning = 0
  #end = 0
  /** Of the last piece. Most texts share them with it, and whole texts are compared faster than their units. */
  #begins = ""
  #ends = ""

  constructor(at: number, first: string) {
    this.#at = at
    this.#whole = first
  }

  /** The piece of the next event; `ofTurn`: it is of the row's turn. */
  piece(at: number, text: string, ofTurn = true): string {
    const head = (at - this.#at).toString(36)
    this.#at = at
    if (!ofTurn) return `${head}.${text.length.toString(36)}!${text}`
    const whole = this.#whole
    if (text.length <= longestCompared && whole.length <= longestCompared) {
      const beginning = commonBeginning(whole, text, beginsWith(text, this.#begins) ? this.#begins.length : 0)
      const most = Math.min(whole.length, text.length) - beginning
      const isShared = this.#ends.length <= most && text.endsWith(this.#ends)
      const end = commonEnd(whole, text, most, isShared ? this.#ends.length : 0)
      if (3 * (beginning + end) >= text.length) {
        const isAsBefore =
          this.#beginning <= beginning &&
          this.#end <= end &&
          beginning + end - this.#beginning - this.#end < worthAHead &&
          this.#beginning + this.#end > 0
        const other = isAsBefore ? "" : `.${beginning.toString(36)}.${end.toString(36)}`
        if (!isAsBefore) {
          this.#beginning = beginning
          this.#end = end
          this.#begins = whole.slice(0, beginning)
          this.#ends = whole.slice(whole.length - end)
        }
        const middle = text.slice(this.#beginning, text.length - this.#end)
        return `${head}.${middle.length.toString(36)}${other}:${middle}`
      }
    }
    this.#whole = text
    this.#beginning = 0
    this.#end = 0
    this.#begins = ""
    this.#ends = ""
    return `${head}.${text.length.toString(36)}=${text}`
  }
}

export interface PieceEvent {
  readonly at: number
  readonly text: string
  readonly ofTurn: boolean
}

/** The events of a row. It ends where the pieces can't be read any further. */
export const eventsIn = (at: number, first: string, pieces: string): ReadonlyArray<PieceEvent> => {
  const events: Array<PieceEvent> = [{ at, text: first, ofTurn: true }]
  const head = /(-?[0-9a-z]+)\.([0-9a-z]+)(?:\.([0-9a-z]+)\.([0-9a-z]+))?([!:=])/y
  let whole = first
  let beginning = 0
  let end = 0
  let time = at
  for (let position = 0; position < pieces.length;) {
    head.lastIndex = position
    const [found, after = "", length = "", begins, ends, kind] = head.exec(pieces) ?? []
    if (found === undefined) break
    const from = position + found.length
    position = from + Number.parseInt(length, 36)
    if (position > pieces.length) break
    const text = pieces.slice(from, position)
    time += Number.parseInt(after, 36)
    if (kind === "=") {
      whole = text
      beginning = 0
      end = 0
    } else if (begins !== undefined && ends !== undefined) {
      beginning = Number.parseInt(begins, 36)
      end = Number.parseInt(ends, 36)
    }
    const all = kind === ":" ? whole.slice(0, beginning) + text + whole.slice(whole.length - end) : text
    events.push({ at: time, text: all, ofTurn: kind !== "!" })
  }
  return events
}
