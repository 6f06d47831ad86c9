/** Places for labels beside a chart's lines, so that none lies on another or on a state, nor close to another. */
import type { Box, Line, Point } from "./drawn.ts"
import { textWidth } from "./textWidth.ts"

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

interface Rect extends Point, Size {}

interface Placing {
  readonly gap: number
  readonly isAll: boolean
  readonly lines: ReadonlyArray<Line>
  readonly scale: number
}

interface Solid extends Rect {
  /** How bad it is to cover it. */
  readonly weight: number
}

/** A straight part of a line, or its head. */
interface Part extends Rect {
  readonly line: Line
}

interface Found {
  readonly at: Rect
  /** Of what is there already, by its weight. */
  readonly covered: number
  /** How good it is, less being better. */
  readonly cost: number
}

/** What labels are placed in: states and names, labels that have their places, and what is rather not covered. */
interface Ground {
  readonly area: Size
  readonly solids: ReadonlyArray<Solid>
  readonly labels: ReadonlyArray<Rect>
  readonly parts: ReadonlyArray<Part>
  readonly gap: number
}

export const lineHeight = 14
/** What is needed may be drawn bold. */
const bolder = 1.12
/** Of a label's own space so much may be taken already. */
const bearable = 0.12

/**
 * The first wanted are placed first. One that fits nowhere is placed by its first line, where that covers little; else only
 * where everything has to be said. `scale`: of the words. `gap`: between two labels, of which then none covers another.
 * `lines`: those that are rather not covered.
 */
export const placeLabels = (
  wanted: ReadonlyArray<Wanted>,
  boxes: ReadonlyArray<Box>,
  area: Size,
  { gap = 0, isAll = false, lines = [], scale = 1 }: Partial<Placing> = {}
): ReadonlyArray<Placed> => {
  const labels: Array<Rect> = []
  const ground: Ground = {
    area,
    labels,
    solids: boxes.map(solidOf),
    parts: lines.flatMap(partsOf),
    gap: gap * scale
  }
  const placed: Array<Placed> = []
  for (const { isNeeded = false, line, texts } of wanted) {
    const shorter = texts.length > 1 ? [texts, [`${texts[0] ?? ""} +${texts.length - 1}`]] : [texts]
    let least: (Found & { readonly each: ReadonlyArray<string> }) | undefined
    let isGood = false
    for (const each of shorter) {
      const found = { each, ...bestPlace(line, sizeOf(each, scale, isNeeded), ground, isNeeded) }
      isGood = found.covered <= bearable * found.at.width * found.at.height
      if (isGood || least === undefined || found.cost < least.cost) least = found
      if (isGood) break
    }
    if (least === undefined || !(isGood || isAll || isNeeded)) continue
    labels.push(least.at)
    placed.push({ ...least.at, line, texts: least.each })
  }
  return placed
}

const sizeOf = (texts: ReadonlyArray<string>, scale: number, isNeeded: boolean): Size => ({
  width: Math.max(...texts.map(textWidth)) * scale * (isNeeded ? bolder : 1) + 10,
  height: texts.length * lineHeight * scale + 5
})

const bestPlace = (line: Line, { height, width }: Size, ground: Ground, isNeeded: boolean): Found => {
  const { area, gap } = ground
  const [across, along] = [width / 2 + 4, height / 2 + 3]
  const on = candidates(line.points)
  const near = [...on, ...beside(on, across, along)]
  // Between two states that stand close together there is no room; what is needed is then rather said above or below them.
  const far = isNeeded ? farther.flatMap((by) => beside(on, across + by, along + by)) : []
  let best: Found | undefined
  for (const [n, { x, y }] of [...near, ...far].entries()) {
    const at = {
      x: Math.min(Math.max(0, x - width / 2), Math.max(0, area.width - width)),
      y: Math.min(Math.max(0, y - height / 2), Math.max(0, area.height - height)),
      width,
      height
    }
    const most = best?.cost ?? Infinity
    let covered = 0
    for (const other of ground.labels) covered += overlap(at, other, gap) * (gap === 0 ? 1 : never)
    for (const other of ground.solids) covered += overlap(at, other) * other.weight
    let cost = covered + (n < near.length ? 0 : width / 10)
    if (cost >= most) continue
    if (gap > 0) for (const other of ground.solids) cost += overlap(at, other, gap) / 10
    for (const other of ground.parts) if (other.line !== line) cost += overlap(at, other) / 10
    if (cost < most) best = { at, covered, cost }
    if (cost === 0) break
  }
  return best ?? { at: { x: 0, y: 0, width, height }, covered: Infinity, cost: Infinity }
}
/** The weight of what is not to be covered at all. */
const never = 1_000_000
const farther = [12, 24, 36]

/** A state with states inside is free but for its name. */
const solidOf = ({ height, key, kind, width, x, y }: Box): Solid =>
  kind === "compound" || kind === "parallel"
    ? { x: x + 12, y: y + 8, width: key.length * nameCharWidth, height: 18, weight: 1 }
    : { x, y, width, height, weight: 4 }
const nameCharWidth = 8

/** Its straight parts, which are upright or level, and its head. */
const partsOf = (line: Line): ReadonlyArray<Part> => {
  const { x, y } = line.points.at(-1) ?? { x: 0, y: 0 }
  return [
    ...pairs(line.points).map(([a, b]) => ({
      line,
      x: Math.min(a.x, b.x),
      y: Math.min(a.y, b.y),
      width: Math.max(1, Math.abs(a.x - b.x)),
      height: Math.max(1, Math.abs(a.y - b.y))
    })),
    { line, x: x - 4, y: y - 4, width: 8, height: 8 }
  ]
}

/** Not on the line, but right or left of it, above or below. */
const beside = (on: ReadonlyArray<Point>, across: number, along: number): ReadonlyArray<Point> =>
  on.flatMap(({ x, y }) => [
    { x: x + across, y },
    { x: x - across, y },
    { x, y: y - along },
    { x, y: y + along }
  ])

/** On the line, its end first: lines that share a way part before they arrive. */
const candidates = (points: ReadonlyArray<Point>): ReadonlyArray<Point> =>
  pairs(points)
    .toReversed()
    .flatMap(([from, to]) =>
      [0.5, 0.3, 0.7, 0.15, 0.85, 0.4, 0.6, 0.05, 0.95].map((t) => ({
        x: from.x + (to.x - from.x) * t,
        y: from.y + (to.y - from.y) * t
      }))
    )

const pairs = (points: ReadonlyArray<Point>): ReadonlyArray<readonly [Point, Point]> =>
  points.flatMap((to, n) => {
    const from = points[n - 1]
    return from === undefined ? [] : [[from, to] as const]
  })

/** How much of the second the first covers; with `gap`, also by the room around it. */
const overlap = (a: Rect, b: Rect, gap = 0): number => {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) + gap
  if (width <= 0) return 0
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) + gap
  return height <= 0 ? 0 : width * height
}
