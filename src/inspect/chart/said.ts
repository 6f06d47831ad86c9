/** What is written at an arrow, and what is said of it where one points at it. */
import type { ChartArrow, ChartWay } from "./read.ts"

const after = "after "

/** What comes by itself first; what happens says more than what follows of itself. */
const rank = (event: string): number => (event === "always" ? 2 : event.startsWith(after) ? 0 : 1)

/** `most` events are written, one a line, the last with `+2` where two more lead there. Guards are left to what is said of it. */
export const written = (
  { ways }: ChartArrow,
  most: number,
  words: (event: string) => string
): ReadonlyArray<string> => {
  const events = [...new Set(ways.map(({ event }) => event))].toSorted((a, b) => rank(a) - rank(b)).map(words)
  const lines = events.slice(0, most)
  const rest = events.length - lines.length
  return rest === 0 ? lines : [...lines.slice(0, -1), `${lines.at(-1) ?? ""} +${rest}`]
}

/** Every event and guard by its name, each with its sentence. */
export const explained = ({ labels, ways }: ChartArrow): ReadonlyArray<string> =>
  labels.map((label, n) => sentence(label, ways[n]))

const sentence = (label: string, way: ChartWay | undefined): string =>
  way === undefined || way.description === "" ? label : `${label}: ${way.description}`
