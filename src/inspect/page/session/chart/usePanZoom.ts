/** A drawing in an element that can be zoomed and moved: by wheel, drag, two fingers and keys, until it is fitted again. */
import type { RefObject } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { fitted, scaled, shifted } from "./viewport.ts"
import type { Fit, Size, Viewport } from "./viewport.ts"

const keyStep = 40

interface Fitting {
  /** Another one is another drawing, which is fitted anew. */
  readonly drawn: Size
  readonly fit: Fit
  /** The reader has moved it. */
  readonly onMove?: () => void
}

export const usePanZoom = (container: RefObject<HTMLElement | null>, { drawn, fit: how, onMove }: Fitting) => {
  const [view, setView] = useState<Viewport>({ k: 1, x: 0, y: 0 })
  const [isMoving, setMoving] = useState(false)
  /** Until the reader moves it, all of it is in view, however the size of the element changes. */
  const isFitted = useRef(true)
  const pointers = useRef(new Map<number, { readonly x: number; readonly y: number }>())

  const sizeOf = (): Size => ({
    width: container.current?.clientWidth ?? 0,
    height: container.current?.clientHeight ?? 0
  })
  const fit = () => {
    isFitted.current = true
    setView(fitted(drawn, sizeOf(), how))
  }
  const change = (next: (view: Viewport) => Viewport) => {
    isFitted.current = false
    onMove?.()
    setView(next)
  }
  const zoom = (factor: number) => {
    const { height, width } = sizeOf()
    change((view) => scaled(view, factor, width / 2, height / 2))
  }

  useLayoutEffect(() => {
    const element = container.current
    if (element === null) return
    fit()
    const observer = new ResizeObserver(() => isFitted.current && fit())
    observer.observe(element)
    // Not passive: the page behind it must not scroll.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { left, top } = element.getBoundingClientRect()
      const factor = Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) * 0.004)
      change((view) => scaled(view, factor, event.clientX - left, event.clientY - top))
    }
    element.addEventListener("wheel", wheel, { passive: false })
    return () => {
      observer.disconnect()
      element.removeEventListener("wheel", wheel)
    }
  }, [drawn])

  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (
        event.button !== 0 ||
        !(event.target instanceof Element) ||
        event.target.closest("button, .state, .line-hit, .arrow-card")
      )
        return
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
      container.current?.setPointerCapture(event.pointerId)
      setMoving(true)
    },
    onPointerMove: (event: PointerEvent) => {
      const before = pointers.current.get(event.pointerId)
      if (before === undefined) return
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
      if (other === undefined)
        return change((view) => shifted(view, event.clientX - before.x, event.clientY - before.y))
      const { left = 0, top = 0 } = container.current?.getBoundingClientRect() ?? {}
      const apart = (at: { readonly x: number; readonly y: number }) => Math.hypot(at.x - other.x, at.y - other.y)
      const factor = apart({ x: event.clientX, y: event.clientY }) / Math.max(1, apart(before))
      change((view) => scaled(view, factor, (event.clientX + other.x) / 2 - left, (event.clientY + other.y) / 2 - top))
    },
    onPointerUp: (event: PointerEvent) => {
      pointers.current.delete(event.pointerId)
      setMoving(pointers.current.size > 0)
    },
    onPointerCancel: (event: PointerEvent) => {
      pointers.current.delete(event.pointerId)
      setMoving(pointers.current.size > 0)
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.target !== container.current) return
      const move = moves[event.key]
      if (move !== undefined) change((view) => shifted(view, move[0] * keyStep, move[1] * keyStep))
      else if (event.key === "+" || event.key === "=") zoom(1.25)
      else if (event.key === "-") zoom(0.8)
      else if (event.key === "0") fit()
      else return
      event.preventDefault()
    }
  }
  return { view, isMoving, fit, zoom, handlers }
}

const moves: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1]
}
