/**
 * Text as cells of a terminal: how wide it is, and how it is cut and filled to a width.
 *
 * A line is a list of spans, each with a style, so that a picture can be put together and compared without a terminal.
 * What an agent wrote goes through `visible` first: its control characters are shown, and never sent.
 */
import { styleText } from "node:util"

export type Style = Parameters<typeof styleText>[0]

export interface Span {
  readonly text: string
  /** `null`: as the terminal has it. */
  readonly style: Style | null
}

export type Line = ReadonlyArray<Span>

export const span = (text: string, style: Style | null = null): Span => ({ text, style })

/** `␛` for an escape, `⏎` for the end of a line, `‹202e›` for what would turn the reading around. */
export const visible = (text: string): string =>
  text
    .replace(/\r\n|[\n\u2028\u2029]/g, "⏎")
    .replaceAll("\t", " ")
    // oxlint-disable-next-line no-control-regex -- those are what is shown
    .replace(/[\u0000-\u001f]/g, (one) => String.fromCodePoint(0x2400 + (one.codePointAt(0) ?? 0)))
    .replaceAll("\u007f", "␡")
    .replace(/[\u0080-\u009f\p{Cf}\ud800-\udfff]/gu, (one) => `‹${(one.codePointAt(0) ?? 0).toString(16)}›`)

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const none = /\p{Mn}|\p{Me}/u
// oxlint-disable-next-line no-control-regex -- the range is what is plain
const plain = /^[\u0000-\u02ff]*$/

const cellsOf = (character: string): number => (none.test(character) ? 0 : wide.test(character) ? 2 : 1)

export const widthOf = (text: string): number =>
  plain.test(text) ? text.length : [...text].reduce((sum, character) => sum + cellsOf(character), 0)

/** No wider than `width`; what is cut ends in `…`. */
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

/** Exactly so wide. */
export const fit = (text: string, width: number, side: "left" | "right" = "left"): string => {
  const short = cut(text, width)
  const rest = " ".repeat(Math.max(0, width - widthOf(short)))
  return side === "left" ? short + rest : rest + short
}

/** In lines no wider than `width`, broken between words where there are any; at most `most` of them. */
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
    // Whoever wants to see more of it than is shown has the page.
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
    // One that is wider than the line has to go somewhere.
    if (used > width && head !== "") break
    head += character
  }
  return head
}

export const lineWidth = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0)

/** Exactly so wide; the span in which it ends is cut. */
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

/** As it is sent; without colours as it is read. */
export const encode = (line: Line, colours: boolean): string =>
  line
    .map(({ style, text }) => (style === null || !colours ? text : styleText(style, text, { validateStream: false })))
    .join("")
