/** The table that a run prints, with a verdict beside each goal. */

export interface Row {
  readonly what: string
  readonly troupe: string
  /** What it is compared with, and how it compares. */
  readonly reference: string
  readonly comparison: string
  readonly goal?: { readonly text: string; readonly met: boolean }
}

const titles = ["", "Troupe", "reference", "Troupe to reference", "goal", ""]

export const printed = (rows: ReadonlyArray<Row>): string => {
  const cells = rows.map(({ comparison, goal, reference, troupe, what }) => [
    what,
    troupe,
    reference,
    comparison,
    goal?.text ?? "",
    goal === undefined ? "" : goal.met ? "met" : "FALLS SHORT"
  ])
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0))
  )
  const line = (of: ReadonlyArray<string>) =>
    of
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  return [line(titles), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n")
}

export const millis = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} ms`
export const plus = (value: number): string => `${value < 0 ? "-" : "+"}${millis(Math.abs(value))}`
export const times = (value: number): string => `x${value.toFixed(value < 0.1 ? 3 : 2)}`
export const rate = (value: number, what = ""): string =>
  `${Math.round(value).toLocaleString("en-US")}${what === "" ? "" : ` ${what}`}/s`
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`
