/** A long list of rows of many heights, of which only what is seen is drawn; each row is measured as it is shown. */
import {
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
  Virtualizer
} from "@tanstack/virtual-core"
import type { RefObject } from "preact"
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks"

interface Options {
  readonly count: number
  readonly guess: number
  readonly keyOf: (index: number) => string
  readonly scroller: RefObject<HTMLElement | null>
}

/** Until the room of all rows is that which they have, where nothing else is drawn. */
const roomMillis = 250

export const useMeasured = ({ count, guess, keyOf, scroller }: Options) => {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const drawn = useRef("")
  const soon = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const virtualizerRef = useRef<Virtualizer<HTMLElement, Element> | undefined>(undefined)
  const options = {
    count,
    estimateSize: () => guess,
    getItemKey: keyOf,
    getScrollElement: () => scroller.current,
    observeElementRect,
    observeElementOffset,
    measureElement,
    scrollToFn: elementScroll,
    overscan: 8,
    // Where only the last row has another size, as while it is being said, all stand where they stood: it reaches out of the
    // room of all rows until the next picture, which comes by itself.
    onChange: (instance: Virtualizer<HTMLElement, Element>) => {
      if (placesOf(instance) !== drawn.current) redraw(undefined)
      else soon.current ??= setTimeout(redraw, roomMillis)
    }
  }
  const virtualizer = (virtualizerRef.current ??= new Virtualizer<HTMLElement, Element>(options))
  virtualizer.setOptions(options)
  drawn.current = placesOf(virtualizer)
  clearTimeout(soon.current)
  soon.current = undefined
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  useEffect(() => () => clearTimeout(soon.current), [])
  return virtualizer
}

/** Which rows are drawn, and where. */
const placesOf = (virtualizer: Virtualizer<HTMLElement, Element>): string =>
  virtualizer
    .getVirtualItems()
    .map(({ key, start }) => `${key} ${start}`)
    .join()
