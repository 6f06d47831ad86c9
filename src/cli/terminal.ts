/**
 * The output of commands: lines for people, JSON for programs. Colours on a terminal only, and not with `NO_COLOR`.
 *
 * stdout has the results and nothing else; a remark to a person goes to stderr.
 */
import { Console, Effect } from "effect"
import { styleText } from "node:util"
import { unsafeCharacters } from "../domain/unsafeCharacters.ts"

type Style = Parameters<typeof styleText>[0]

/** `styleText` itself reads the stream, `NO_COLOR`, `NODE_DISABLE_COLORS` and `FORCE_COLOR`. */
export const paint = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(style, text, { stream, validateStream: true })

export const print = (text = "") => Console.log(text)

/** A remark, which is no result. */
export const note = (text: string) => Console.error(paint("dim", text, process.stderr))

/** A line of JSON in a stream of them. */
export const printLine = (value: unknown) => Console.log(JSON.stringify(value))

export const printJson = (value: unknown) => Console.log(JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0))

/** Columns as wide as their widest cell; the first row is the head. Styles are applied after the widths are computed. */
export const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  styled: (cell: string, row: number, column: number) => string = (cell, row) => (row === 0 ? paint("dim", cell) : cell)
): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row, nth) =>
      row
        .map((cell, column) => {
          const padding = column === row.length - 1 ? "" : " ".repeat((widths[column] ?? 0) - cell.length)
          return styled(cell, nth, column) + padding
        })
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** A carriage return alone would overwrite the line. */
const harmful = new RegExp(`[${unsafeCharacters}\\r]`, "g")

/** Text of an agent must not move the cursor, rename the window, or reverse the order in which it is read. */
export const harmless = (text: string): string => text.replace(harmful, "")

/** `harmless` on one line: an agent's title must not look like a line of Troupe's. */
export const oneLine = (text: string): string =>
  harmless(text.replace(/\s*[\r\n\u2028\u2029]+\s*/g, " ⏎ ").replaceAll("\t", " ")).trim()

/** "3 min ago". Both are milliseconds since 1970. */
export const ago = (since: number, now: number): string => {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds < 90) return `${seconds} s ago`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h ago`
  return `${Math.round(seconds / 86_400)} days ago`
}

/** Writes text without a line break. */
export const write = (text: string) => Effect.sync(() => void process.stdout.write(text))
