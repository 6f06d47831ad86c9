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

const smallest = 0.3
const largest = 3
const margin = 12

/** All of it in the middle, never larger than it was drawn. */
export const fitted = (drawn: Size, element: Size): Viewport => {
  const k = Math.max(
    smallest,
    Math.min((element.width - 2 * margin) / drawn.width, (element.height - 2 * margin) / drawn.height, 1.25)
  )
  return { k, x: (element.width - drawn.width * k) / 2, y: Math.max(margin, (element.height - drawn.height * k) / 2) }
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
