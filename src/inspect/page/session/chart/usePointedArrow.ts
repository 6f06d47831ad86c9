/** The arrow that is pointed at, or has the focus. A press keeps it, and so does a pointer that goes from it to what is said of it. */
import type { RefObject } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

export interface Pointed {
  /** Arrows share parts of their lines: all that run there, by `from to`. */
  readonly keys: ReadonlyArray<string>
  readonly x: number
  readonly y: number
  readonly isPinned: boolean
}

/** Long enough to get from a line to the words beside it. */
const graceMillis = 300

export const usePointedArrow = (container: RefObject<HTMLElement | null>) => {
  const [pointed, setPointed] = useState<Pointed | null>(null)
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined)
  const keep = () => clearTimeout(leaving.current)
  const leave = () => {
    keep()
    leaving.current = setTimeout(() => setPointed((now) => (now?.isPinned === true ? now : null)), graceMillis)
  }
  const close = () => {
    keep()
    setPointed(null)
  }
  const at = (key: string, event: Event, isPinned: boolean) => {
    keep()
    const { left = 0, top = 0 } = container.current?.getBoundingClientRect() ?? {}
    const box = (event.currentTarget as Element).getBoundingClientRect()
    const isMouse = event instanceof MouseEvent && (event.clientX !== 0 || event.clientY !== 0)
    const x = isMouse ? event.clientX : box.left + box.width / 2
    const y = isMouse ? event.clientY : box.top + box.height / 2
    const here = isMouse ? document.elementsFromPoint(x, y) : []
    const others = here.flatMap((element) =>
      element instanceof SVGElement && element.dataset["arrow"] !== undefined ? [element.dataset["arrow"]] : []
    )
    setPointed((now) =>
      now?.isPinned === true && !isPinned
        ? now
        : { keys: [...new Set([key, ...others])], x: x - left, y: y - top, isPinned }
    )
  }
  useEffect(() => {
    if (pointed?.isPinned !== true) return
    const press = (event: KeyboardEvent) => event.key === "Escape" && close()
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  }, [pointed?.isPinned])
  useEffect(() => keep, [])
  return { pointed, at, keep, leave, close }
}

export type PointedArrow = ReturnType<typeof usePointedArrow>
