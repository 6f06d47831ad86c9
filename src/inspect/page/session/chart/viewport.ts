/** Which part of a drawing is seen, and how large: `k` pixels for each of its units, its origin at `x`, `y`. */
export interface Viewport {
  readonly k: number
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

interface Rect extends Size {
  readonly x: number
  readonly y: number
}

const smallest = 0.3
const largest = 3
const margin = 12
const narrowMargin = 4

/** Words are drawn as large as this at least, in pixels, whatever the scale. */
export const leastText = 11.5
/** In units of the drawing; below the scale at which it is `leastText`, it grows against it. */
export const textSize = 12.5
/** At this scale words have the size that the boxes were reckoned for. */
export const readable = leastText / textSize

/** What is around a state is drawn as small as this where it has to be: words then grow, and have room in their boxes still. */
export const leastNear = readable / 1.15

/** So many times larger than the boxes were reckoned for words have to be. */
export const textScale = (k: number): number => Math.max(1, Math.ceil((readable / k) * 20) / 20)

export interface Fit {
  /** Never smaller than this; then not all of it is in view. */
  readonly least?: number
  /** In the right lower corner, which is left free where it can be. */
  readonly corner?: Size
  /** What has to be seen where not all can be. */
  readonly first?: Rect | undefined
}

/** All of it, never much larger than it was drawn. */
export const fitted = (drawn: Size, element: Size, { corner, first, least = smallest }: Fit = {}): Viewport => {
  const room = { width: element.width - 2 * margin, height: element.height - 2 * margin }
  const rooms =
    corner === undefined
      ? [room]
      : [
          { ...room, width: room.width - corner.width },
          { ...room, height: room.height - corner.height }
        ]
  const scale = (each: Size) => Math.min(each.width / drawn.width, each.height / drawn.height, 1.35)
  const best = rooms.reduce((a, b) => (scale(b) > scale(a) ? b : a))
  // The corner is rather covered than that words get small.
  const k = Math.max(least, scale(best) < readable ? Math.min(readable, scale(room)) : scale(best))
  const reaches = (drawn: number, room: number, corner = 0) => corner > 0 && drawn * k > room - corner
  // What reaches into the corner goes as far from it as it can.
  const isBelow = reaches(drawn.width, room.width, corner?.width) && reaches(drawn.height, room.height, corner?.height)
  const place = (size: number, around: number, whole: number, from: number, length: number) => {
    if (isBelow && size * k <= whole) return narrowMargin
    if (size * k <= whole) return Math.max(margin, margin + (Math.max(around, size * k) - size * k) / 2)
    const centred = margin + whole / 2 - (from + length / 2) * k
    return Math.min(margin, Math.max(margin + whole - size * k, centred))
  }
  const { height, width, x, y } = first ?? { x: 0, y: 0, ...drawn }
  return {
    k,
    x: place(drawn.width, best.width, room.width, x, width),
    y: place(drawn.height, best.height, room.height, y, height)
  }
}

/** `factor` above 1 looks closer; the point at `x`, `y` of the element stays there. */
export const scaled = (view: Viewport, factor: number, x: number, y: number): Viewport => {
  const k = Math.min(largest, Math.max(smallest, view.k * factor))
  return { k, x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k }
}

export const shifted = (view: Viewport, dx: number, dy: number): Viewport => ({
  ...view,
  x: view.x + dx,
  y: view.y + dy
})
