/** The timeline as it is drawn: reckoned when something came, was looked at closer, or a second passed, and not before. */
import { computed, signal } from "@preact/signals"
import type { Store } from "../store.ts"
import { ticksOf, whole } from "./axis.ts"
import type { View } from "./axis.ts"
import { nearest, shapesOf } from "./shapes.ts"

export const laneHeight = 19
export const axisHeight = 18
/** Left of the lanes, for their names. */
export const namesWidth = 74
const tickWidth = 120

export const createFrame = (store: Store) => {
  const width = signal(600)
  const frame = computed(() => {
    const axis = store.axis.value
    const lanes = store.lanes.value
    const view = store.view.value ?? whole(axis)
    const pixels = Math.max(1, width.value)
    const xOf = (at: number) => ((axis.placeOf(at) - view.from) / (view.to - view.from)) * pixels
    const timeAt = (x: number) => axis.timeAt(view.from + (x / pixels) * (view.to - view.from))
    // What goes on reaches the end of the axis: the clock may be a little behind what happened.
    const until = axis.timeAt(axis.length)
    return {
      axis,
      view,
      width: pixels,
      xOf,
      timeAt,
      names: lanes.map(({ name }) => name),
      shapes: lanes.map((lane) => shapesOf(lane, xOf, pixels, until)),
      ticks: ticksOf(axis, view, Math.max(1, Math.floor(pixels / tickWidth))),
      height: axisHeight + lanes.length * laneHeight
    }
  })
  return {
    width,
    frame,
    /** All of it is no view: it grows with the session. */
    show: (next: View) => {
      const all = whole(store.axis.peek())
      store.view.value = next.to - next.from >= all.to - all.from ? null : next
    },
    /** What is at a point of the lanes, in words. */
    wordsAt: (x: number, y: number): string | undefined => {
      const lane = frame.peek().shapes[Math.floor((y - axisHeight) / laneHeight)]
      return lane === undefined ? undefined : nearest(lane, x)?.label
    }
  }
}

export type Frame = ReturnType<typeof createFrame>
