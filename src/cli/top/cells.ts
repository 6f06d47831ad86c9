/**
 * Text in cells of a terminal: its width, and how it is cut and padded to a width.
 *
 * A line is a list of spans, each with a style, so that a frame can be composed and compared without a terminal. Text of
 * an agent goes through `visible` first: its control characters are shown, and never sent.
 */
import { styleText } from "node:util"
import { unsafeCharacters } from "../../domain/unsafeCharacters.ts"

export type Style = Parameters<typeof styleText>[0]

export interface Span {
  readonly text: string
  /** `null`: the terminal's default. */
  readonly style: Style | null
}

export type Line = ReadonlyArray<Span>

export const span = (text: string, style: Style | null = null): Span => ({ text, style })

/** Also characters without a width of their own (`Cf`) and halves of a character: their cells could not be counted. */
const uncountable = new RegExp(`[${unsafeCharacters}\\r\\p{Cf}\\ud800-\\udfff]`, "gu")

const symbolOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7f ? "␡" : `‹${code.toString(16)}›`
}

/** `␛` for an escape, `⏎` for a line break, `‹202e›` for a control of the writing direction. */
export const visible = (text: string): string =>
  text
    .replace(/\r\n|[\n\u2028\u2029]/g, "⏎")
    .replaceAll("\t", " ")
    .replace(uncountable, symbolOf)

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const none = /\p{Mn}|\p{Me}/u
// oxlint-disable-next-line no-control-regex -- the range is what is plain
const plain = /^[\u0000-\u02ff]*$/

const cellsOf = (character: string): number => (none.test(character) ? 0 : wide.test(character) ? 2 : 1)

export const widthOf = (text: string): number =>
  plain.test(text) ? text.length : [...text].reduce((sum, character) => sum + cellsOf(character), 0)

/** At most `width` cells wide; a text that is cut ends in `…`. */
export const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  let cut = ""
  let used = 0
  for (const character of text) {
    used += cellsOf(character)
    if (used > width - 1) break
    cut += character
  }
  return width > 0 ? `${cut}…` : ""
}

/** Exactly `width` cells wide. */
export const fit = (text: string, width: number, side: "left" | "right" = "left"): string => {
  const short = cut(text, width)
  const rest = " ".repeat(Math.max(0, width - widthOf(short)))
  return side === "left" ? short + rest : rest + short
}

/** Lines of at most `width` cells, broken between words where possible; at most `most` of them. */
export const wrap = (text: string, width: number, most: number): ReadonlyArray<string> => {
  if (widthOf(text) <= width || width < 1) return [cut(text, width)]
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (widthOf(longer) <= width) {
      line = longer
      continue
    }
    if (line !== "") lines.push(line)
    line = word
    // More lines would not be shown: the dashboard has the whole text.
    if (lines.length > most) break
    while (widthOf(line) > width) {
      const head = headOf(line, width)
      lines.push(head)
      line = line.slice(head.length)
      if (lines.length > most) break
    }
  }
  if (line !== "") lines.push(line)
  if (lines.length <= most) return lines
  const last = lines[most - 1] ?? ""
  return [...lines.slice(0, most - 1), `${cut(last, width - 1).replace(/…$/, "")}…`]
}

const headOf = (text: string, width: number): string => {
  let head = ""
  let used = 0
  for (const character of text) {
    used += cellsOf(character)
    // A character that is wider than the line gets a line of its own.
    if (used > width && head !== "") break
    head += character
  }
  return head
}

export const lineWidth = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0)

/** Exactly `width` cells wide; the last span is cut where the line is too long. */
export const fitLine = (line: Line, width: number): Line => {
  const fitted: Array<Span> = []
  let left = width
  for (const { style, text } of line) {
    if (left <= 0) break
    const short = cut(text, left)
    fitted.push({ text: short, style })
    left -= widthOf(short)
  }
  return left > 0 ? [...fitted, span(" ".repeat(left))] : fitted
}

export const textOf = (line: Line): string => line.map(({ text }) => text).join("")

/** The text that is written to the terminal. */
export const encode = (line: Line, colours: boolean): string =>
  line
    .map(({ style, text }) => (style === null || !colours ? text : styleText(style, text, { validateStream: false })))
    .join("")
