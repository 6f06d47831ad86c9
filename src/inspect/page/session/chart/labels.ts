/** Places for labels beside a chart's lines, so that none lies on another or on a state. */
import type { Box, Line, Point } from "./layout.ts"

export interface Wanted {
  readonly line: Line
  readonly texts: ReadonlyArray<string>
}

export interface Placed extends Wanted, Point {
  readonly width: number
  readonly height: number
}

interface Rect extends Point {
  readonly width: number
  readonly height: number
}

export const lineHeight = 13
const charWidth = 6.5

/** The first wanted are placed first; one that fits nowhere is placed where it covers least. */
export const placeLabels = (
  wanted: ReadonlyArray<Wanted>,
  boxes: ReadonlyArray<Box>,
  area: { readonly width: number; readonly height: number }
): ReadonlyArray<Placed> => {
  const taken: Array<Rect> = boxes.map(solidOf)
  const placed: Array<Placed> = []
  for (const { line, texts } of wanted) {
    const width = Math.max(...texts.map(({ length }) => length)) * charWidth + 10
    const height = texts.length * lineHeight + 5
    let best: { readonly at: Rect; readonly cost: number } | undefined
    for (const { x, y } of [...candidates(line.points), ...beside(line.points, width / 2 + 4)]) {
      const at = {
        x: Math.min(Math.max(0, x - width / 2), Math.max(0, area.width - width)),
        y: Math.min(Math.max(0, y - height / 2), Math.max(0, area.height - height)),
        width,
        height
      }
      const cost = taken.reduce((sum, other) => sum + overlap(at, other), 0)
      if (best === undefined || cost < best.cost) best = { at, cost }
      if (cost === 0) break
    }
    if (best === undefined) continue
    taken.push(best.at)
    placed.push({ ...best.at, line, texts })
  }
  return placed
}

/** A state with states inside is free but for its name. */
const solidOf = ({ height, key, kind, width, x, y }: Box): Rect =>
  kind === "compound" || kind === "parallel"
    ? { x: x + 12, y: y + 8, width: key.length * nameCharWidth, height: 18 }
    : { x, y, width, height }
const nameCharWidth = 8

/** Not on the line, but right or left of it. */
const beside = (points: ReadonlyArray<Point>, by: number): ReadonlyArray<Point> =>
  candidates(points).flatMap(({ x, y }) => [
    { x: x + by, y },
    { x: x - by, y }
  ])

/** Its end first: lines that share a way part before they arrive. */
const candidates = (points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const parts = points.flatMap((to, n) => {
    const from = points[n - 1]
    return from === undefined ? [] : [{ from, to }]
  })
  return parts.toReversed().flatMap(({ from, to }) =>
    [0.5, 0.3, 0.7, 0.15, 0.85, 0.4, 0.6, 0.05, 0.95].map((t) => ({
      x: from.x + (to.x - from.x) * t,
      y: from.y + (to.y - from.y) * t
    }))
  )
}

const overlap = (a: Rect, b: Rect): number => {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return width > 0 && height > 0 ? width * height : 0
}
