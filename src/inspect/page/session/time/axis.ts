/**
 * One time axis for milliseconds and for nights: what lies close together keeps its distances, and where nothing
 * happened for long the axis is short and says so.
 *
 * Between two neighbouring instants at which something happened, the axis is as long as the time up to a knee, and grows
 * with the logarithm of it beyond: it stays in order, nothing is cut out, and a night costs as much as six seconds.
 */
export interface Gap {
  readonly from: number
  readonly to: number
}

export interface Axis {
  /** The length of it all, in seconds of its own. */
  readonly length: number
  /** From a time to its place, and back. Both go on evenly beyond the ends. */
  readonly placeOf: (at: number) => number
  readonly timeAt: (place: number) => number
  /** Where it is much shorter than the time. */
  readonly gaps: ReadonlyArray<Gap>
}

const kneeSeconds = 0.5
/** A pause is worth a mark where it takes less than a fifth of its own length. */
const squeezed = 5

/** Each once, in order. */
export const inOrder = (instants: ReadonlyArray<number>): ReadonlyArray<number> =>
  [...new Set(instants)].toSorted((a, b) => a - b)

/** `instants` in order. */
export const axisOf = (instants: ReadonlyArray<number>): Axis => {
  const times = [...instants]
  const first = times[0] ?? 0
  if (times.length === 0) times.push(first)
  const places = [0]
  const gaps: Array<Gap> = []
  for (const [n, to] of times.entries()) {
    const from = times[n - 1]
    if (from === undefined) continue
    const length = squeeze(to - from)
    places.push((places[n - 1] ?? 0) + length)
    if (to - from > squeezed * length) gaps.push({ from, to })
  }
  return {
    length: places.at(-1) ?? 0,
    placeOf: (at) => along(times, places, at),
    timeAt: (place) => along(places, times, place),
    gaps
  }
}

const squeeze = (seconds: number): number =>
  seconds <= kneeSeconds ? seconds : kneeSeconds * (1 + Math.log(seconds / kneeSeconds))

/** `x` on one scale, as it is on the other: the lines between the knots are straight. */
const along = (from: ReadonlyArray<number>, to: ReadonlyArray<number>, x: number): number => {
  const [low, high] = [from[0] ?? 0, from.at(-1) ?? 0]
  if (x <= low) return (to[0] ?? 0) + x - low
  if (x >= high) return (to.at(-1) ?? 0) + x - high
  const n = lastAtOrBefore(from, x)
  const [a = 0, b = 0, c = 0, d = 0] = [from[n], from[n + 1], to[n], to[n + 1]]
  return b === a ? c : c + ((x - a) / (b - a)) * (d - c)
}

/** The index of the last that is not after `x` in a sorted list; -1 where all are. */
export const lastAtOrBefore = (sorted: ReadonlyArray<number>, x: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= x) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The part of the axis that is seen, in its own seconds. */
export interface View {
  readonly from: number
  readonly to: number
}

export const whole = (axis: Axis): View => {
  const margin = Math.max(axis.length * 0.02, 0.05)
  return { from: -margin, to: axis.length + margin }
}

const shortestView = 0.02

/** `factor` below 1 looks closer; `at` (0 to 1 of the width) stays where it is. Never shows more than all. */
export const zoomed = (axis: Axis, view: View, factor: number, at: number): View => {
  const all = whole(axis)
  const width = Math.max((view.to - view.from) * factor, shortestView)
  if (width >= all.to - all.from) return all
  const from = view.from + (view.to - view.from - width) * at
  return within(axis, { from, to: from + width })
}

/** `by` is in widths of the view. */
export const moved = (axis: Axis, view: View, by: number): View => {
  const distance = (view.to - view.from) * by
  return within(axis, { from: view.from + distance, to: view.to + distance })
}

const within = (axis: Axis, { from, to }: View): View => {
  const all = whole(axis)
  const shift = from < all.from ? all.from - from : to > all.to ? all.to - to : 0
  return { from: from + shift, to: to + shift }
}

export interface Tick {
  /** 0 to 1 of the width. */
  readonly x: number
  readonly at: number
}

/** As many as fit, evenly over the width: the times are not round, the places are. */
export const ticksOf = (axis: Axis, view: View, count: number): ReadonlyArray<Tick> =>
  Array.from({ length: count }, (_, n) => {
    const x = (n + 0.5) / count
    return { x, at: axis.timeAt(view.from + x * (view.to - view.from)) }
  })
