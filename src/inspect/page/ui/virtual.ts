/** A long list of which only what is seen is drawn: TanStack's Virtualizer, kept in step with Preact. */
import { defaultRangeExtractor, elementScroll, observeElementOffset, observeElementRect } from "@tanstack/virtual-core"
import { Virtualizer } from "@tanstack/virtual-core"
import type { RefObject } from "preact"
import { useLayoutEffect, useReducer, useRef } from "preact/hooks"

interface Options {
  readonly count: number
  /** Height of a row in pixels; all have the same. */
  readonly rowHeight: number
  readonly scroller: RefObject<HTMLElement | null>
  /** Pixels of what is above the first row and scrolls with it, or sticks. */
  readonly above?: number
  /** A row that is drawn even where it is not seen: the one with the focus. */
  readonly keep?: number
}

export const useVirtual = ({ above = 0, count, keep = -1, rowHeight, scroller }: Options) => {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const virtualizerRef = useRef<Virtualizer<HTMLElement, HTMLElement> | undefined>(undefined)
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    overscan: 12,
    scrollPaddingStart: above,
    rangeExtractor: (range: Parameters<typeof defaultRangeExtractor>[0]) => {
      const seen = defaultRangeExtractor(range)
      if (keep < 0 || keep >= count || seen.includes(keep)) return seen
      return [...seen, keep].toSorted((a, b) => a - b)
    },
    onChange: () => redraw(undefined)
  }
  const virtualizer = (virtualizerRef.current ??= new Virtualizer(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  // Sizes are remembered by index: others hold for all of them.
  useLayoutEffect(() => virtualizer.measure(), [rowHeight])
  return virtualizer
}
