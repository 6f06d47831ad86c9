/** Places for labels beside a chart's lines, so that none lies on another or on a state. */
import type { Box, Line, Point } from "./drawn.ts"

export interface Wanted {
  readonly line: Line
  readonly texts: ReadonlyArray<string>
  /** It is written wherever it stands. */
  readonly isNeeded?: boolean
}

export interface Placed extends Wanted, Point {
  readonly width: number
  readonly height: number
}

interface Size {
  readonly width: number
  readonly height: number
}

interface Rect extends Point, Size {
  /** How bad it is to cover it. */
  readonly weight?: number
}

export const lineHeight = 14
const charWidth = 6.5
/** What is needed may be drawn bold. */
const bolder = 1.08

/** Of a label's own space so much may be taken already. */
const bearable = 0.12

/**
 * The first wanted are placed first. One that fits nowhere is placed by its first line, where that covers little; else only
 * where everything has to be said. `scale`: of the words.
 */
export const placeLabels = (
  wanted: ReadonlyArray<Wanted>,
  boxes: ReadonlyArray<Box>,
  area: Size,
  { isAll = false, scale = 1 }: { readonly isAll?: boolean; readonly scale?: number } = {}
): ReadonlyArray<Placed> => {
  const taken: Array<Rect> = boxes.map(solidOf)
  const placed: Array<Placed> = []
  for (const { isNeeded = false, line, texts } of wanted) {
    const shorter = texts.length > 1 ? [texts, [`${texts[0] ?? ""} +${texts.length - 1}`]] : [texts]
    const tries = shorter.map((each) => ({
      each,
      ...bestPlace(line.points, sizeOf(each, isNeeded ? scale * bolder : scale), taken, area)
    }))
    const found =
      tries.find(({ at, cost }) => cost <= bearable * at.width * at.height) ??
      (isAll || isNeeded ? tries.toSorted((a, b) => a.cost - b.cost)[0] : undefined)
    if (found === undefined) continue
    taken.push(found.at)
    placed.push({ ...found.at, line, texts: found.each })
  }
  return placed
}

const sizeOf = (texts: ReadonlyArray<string>, scale: number): Size => ({
  width: Math.max(...texts.map(({ length }) => length)) * charWidth * scale + 10,
  height: texts.length * lineHeight * scale + 5
})

const bestPlace = (points: ReadonlyArray<Point>, { height, width }: Size, taken: ReadonlyArray<Rect>, area: Size) => {
  let best: { readonly at: Rect; readonly cost: number } | undefined
  for (const { x, y } of [...candidates(points), ...beside(points, width / 2 + 4, height / 2 + 3)]) {
    const at = {
      x: Math.min(Math.max(0, x - width / 2), Math.max(0, area.width - width)),
      y: Math.min(Math.max(0, y - height / 2), Math.max(0, area.height - height)),
      width,
      height
    }
    const cost = taken.reduce((sum, other) => sum + overlap(at, other) * (other.weight ?? 1), 0)
    if (best === undefined || cost < best.cost) best = { at, cost }
    if (cost === 0) break
  }
  return best ?? { at: { x: 0, y: 0, width, height }, cost: Infinity }
}

/** A state with states inside is free but for its name. */
const solidOf = ({ height, key, kind, width, x, y }: Box): Rect =>
  kind === "compound" || kind === "parallel"
    ? { x: x + 12, y: y + 8, width: key.length * nameCharWidth, height: 18 }
    : { x, y, width, height, weight: 4 }
const nameCharWidth = 8

/** Not on the line, but right or left of it, above or below. */
const beside = (points: ReadonlyArray<Point>, across: number, along: number): ReadonlyArray<Point> =>
  candidates(points).flatMap(({ x, y }) => [
    { x: x + across, y },
    { x: x - across, y },
    { x, y: y - along },
    { x, y: y + along }
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
