/** A chart's places: which boxes and lines a drawing of it has (`scripts/layOut.ts` reckons them). */
import type { ChartState } from "./read.ts"

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box extends Point {
  readonly path: string
  readonly key: string
  readonly kind: ChartState["kind"]
  /** Its parent is entered by it. */
  readonly initial: boolean
  readonly width: number
  readonly height: number
}

export interface Line {
  readonly from: string
  readonly to: string
  readonly points: ReadonlyArray<Point>
}

/** Arrows from a state to itself are no lines: they are shown at its box. */
export interface Drawn {
  readonly width: number
  readonly height: number
  /** Parents before their children. */
  readonly boxes: ReadonlyArray<Box>
  readonly lines: ReadonlyArray<Line>
}

/** A chart's places: all of it, and for each state by itself what is around it. */
export interface Laid {
  readonly whole: Drawn
  readonly around: Readonly<Record<string, Drawn>>
}

/** A line with its corners rounded, as an SVG path. */
export const pathData = (points: ReadonlyArray<Point>, radius = 6): string => {
  const [first, ...rest] = points
  if (first === undefined) return ""
  let d = `M${first.x} ${first.y}`
  for (const [n, corner] of rest.entries()) {
    const before = points[n] ?? corner
    const after = rest[n + 1]
    if (after === undefined) return `${d}L${corner.x} ${corner.y}`
    const { into, out } = roundedCorner(before, corner, after, radius)
    d += `L${into.x} ${into.y}Q${corner.x} ${corner.y} ${out.x} ${out.y}`
  }
  return d
}

/** Where a corner's curve begins and ends. */
export const roundedCorner = (before: Point, corner: Point, after: Point, radius = 6) => {
  const near = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2)
  return { into: towards(corner, before, near), out: towards(corner, after, near) }
}

/** Where a label is placed: the middle of the longest straight part. */
export const labelPoint = (points: ReadonlyArray<Point>): Point => {
  let best = { length: -1, x: 0, y: 0 }
  for (const [n, to] of points.entries()) {
    const from = points[n - 1]
    if (from === undefined) continue
    const length = distance(from, to)
    if (length > best.length) best = { length, x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  }
  return { x: best.x, y: best.y }
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)

const towards = (from: Point, to: Point, by: number): Point => {
  const length = distance(from, to)
  return length === 0
    ? from
    : { x: r(from.x + ((to.x - from.x) * by) / length), y: r(from.y + ((to.y - from.y) * by) / length) }
}

const r = (number: number): number => Math.round(number * 10) / 10
