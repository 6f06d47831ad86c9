/** A lane in pixels: only what is seen, and no more than the eye can part, however much there is. */
import type { Lane, Tone } from "./lanes.ts"

export interface BarShape {
  readonly x: number
  readonly width: number
  readonly label: string
  readonly tone: Tone
  /** It goes on. */
  readonly open: boolean
  /** How high it is, of 1. */
  readonly level: number
}

export interface MarkShape {
  readonly x: number
  readonly label: string
  readonly tone: Tone
}

export interface Shapes {
  readonly bars: ReadonlyArray<BarShape>
  readonly marks: ReadonlyArray<MarkShape>
}

const thinnest = 2

/** In halves of a pixel: on an axis of hours all moves by much less in a second, and what has not moved is not drawn anew. */
const half = (x: number): number => Math.round(x * 2) / 2

export const shapesOf = ({ bars, marks }: Lane, xOf: (at: number) => number, width: number, now: number): Shapes => {
  const seen: Array<BarShape> = []
  for (const { from, label, level = 1, to, tone } of bars) {
    const x = half(Math.max(xOf(from), -8))
    const end = half(Math.min(xOf(to ?? Math.max(now, from)), width + 8))
    if (end < -thinnest || x > width + thinnest) continue
    const before = seen.at(-1)
    if (before !== undefined && before.width <= thinnest && end - before.x <= thinnest) {
      if (level > before.level) seen[seen.length - 1] = { ...before, label, level }
      joinInto(seen, seen.at(-1) ?? before, tone)
    } else seen.push({ x, width: Math.max(end - x, thinnest), label, tone, open: to === null, level })
  }
  const points: Array<MarkShape> = []
  for (const { at, label, tone } of marks) {
    const x = half(xOf(at))
    if (x < -thinnest || x > width + thinnest) continue
    const before = points.at(-1)
    if (before !== undefined && x - before.x < thinnest) joinInto(points, before, tone)
    else points.push({ x, label, tone })
  }
  return { bars: seen, marks: points }
}

/** What lies on one line is one line; what went bad in it is not hidden by what went well. */
const joinInto = <S extends { readonly tone: Tone }>(shapes: Array<S>, last: S, tone: Tone): void => {
  if (tone === "bad" && last.tone !== "bad") shapes[shapes.length - 1] = { ...last, tone }
}

const reach = 6

/** What a pointer at `x` means: a mark close by, else the bar that it is on. */
export const nearest = ({ bars, marks }: Shapes, x: number): { readonly label: string } | undefined => {
  const [mark] = marks
    .filter((each) => Math.abs(each.x - x) <= reach)
    .toSorted((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))
  return mark ?? bars.findLast((bar) => x >= bar.x - 1 && x <= bar.x + bar.width + 1)
}
