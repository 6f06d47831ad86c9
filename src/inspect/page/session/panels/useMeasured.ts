/** A long list of rows of many heights, of which only what is seen is drawn; each row is measured as it is shown. */
import {
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
  Virtualizer
} from "@tanstack/virtual-core"
import type { RefObject } from "preact"
import { useLayoutEffect, useReducer, useRef } from "preact/hooks"

interface Options {
  readonly count: number
  readonly guess: number
  readonly keyOf: (index: number) => string
  readonly scroller: RefObject<HTMLElement | null>
}

export const useMeasured = ({ count, guess, keyOf, scroller }: Options) => {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
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
    onChange: () => redraw(undefined)
  }
  const virtualizer = (virtualizerRef.current ??= new Virtualizer<HTMLElement, Element>(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  return virtualizer
}
