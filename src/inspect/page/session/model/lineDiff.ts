/** What a tool changes in a file, line by line, with a few lines around each change. Bounded in time and length. */
import { structuredPatch } from "diff"
import type { FileDiff } from "../../../client/content.ts"

export interface DiffLine {
  readonly sign: "+" | "-" | " "
  readonly text: string
  /** Its number in the new file, or where it is gone, in the old one. */
  readonly line: number
}

export interface LineDiff {
  readonly added: number
  readonly removed: number
  /** Changes that are near each other, with the lines around them. */
  readonly parts: ReadonlyArray<ReadonlyArray<DiffLine>>
  /** So many lines more than are shown. */
  readonly omitted: number
  /** The texts are too different, or too long, to be compared: all of the old is gone, and all of the new has come. */
  readonly isWhole: boolean
}

const around = 3
const mostLines = 400
/** A line of a packed file has a megabyte. */
const longestLine = 500
const longestText = 1_000_000
const bounds = { maxEditLength: 3_000, timeout: 200 }

export const lineDiff = ({ after, before }: FileDiff): LineDiff => {
  const old = before ?? ""
  const patch =
    old.length + after.length > longestText
      ? undefined
      : structuredPatch("", "", old, after, "", "", { context: around, ...bounds })
  const parts = patch === undefined ? [whole(old, after)] : patch.hunks.map(linesOf)
  return { ...counted(parts), ...cutTo(parts, mostLines), isWhole: patch === undefined && before !== null }
}

const linesOf = (hunk: {
  readonly oldStart: number
  readonly newStart: number
  readonly lines: ReadonlyArray<string>
}) => {
  let [gone, here] = [hunk.oldStart, hunk.newStart]
  return hunk.lines.flatMap((line): ReadonlyArray<DiffLine> => {
    const text = shortened(line.slice(1))
    switch (line[0]) {
      case "+":
        return [{ sign: "+", text, line: here++ }]
      case "-":
        return [{ sign: "-", text, line: gone++ }]
      case " ":
        gone++
        return [{ sign: " ", text, line: here++ }]
      default:
        // `\ No newline at end of file`
        return []
    }
  })
}

const shortened = (text: string): string => (text.length > longestLine ? `${text.slice(0, longestLine)}…` : text)

const whole = (before: string, after: string): ReadonlyArray<DiffLine> => {
  const all = (text: string, sign: DiffLine["sign"]) =>
    text === ""
      ? []
      : text
          .replace(/\n$/, "")
          .split("\n")
          .map((line, n) => ({ sign, text: shortened(line), line: n + 1 }))
  return [...all(before, "-"), ...all(after, "+")]
}

const counted = (parts: LineDiff["parts"]) => ({
  added: parts.flat().filter(({ sign }) => sign === "+").length,
  removed: parts.flat().filter(({ sign }) => sign === "-").length
})

const cutTo = (parts: LineDiff["parts"], most: number): Pick<LineDiff, "parts" | "omitted"> => {
  let left = most
  const shown = parts.flatMap((part) => {
    const kept = part.slice(0, left)
    left -= kept.length
    return kept.length === 0 ? [] : [kept]
  })
  return { parts: shown, omitted: parts.flat().length - (most - left) }
}
