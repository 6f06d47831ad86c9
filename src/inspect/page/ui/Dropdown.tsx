/** A button that opens a small panel below itself; Esc, and a press elsewhere, closes it. */
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"

interface Props {
  readonly name: ComponentChildren
  readonly label: string
  readonly children: ComponentChildren
}

export const Dropdown = ({ children, label, name }: Props) => {
  const box = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const { current } = box
      if (current === null || !current.open) return
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return
        if (current.contains(document.activeElement)) current.querySelector("summary")?.focus()
        current.open = false
      } else if (event.target instanceof Node && !current.contains(event.target)) current.open = false
    }
    document.addEventListener("pointerdown", close)
    document.addEventListener("keydown", close)
    return () => {
      document.removeEventListener("pointerdown", close)
      document.removeEventListener("keydown", close)
    }
  }, [])
  return (
    <details ref={box} class="dropdown">
      <summary class="button" aria-label={label}>
        <span>{name}</span>
      </summary>
      <div class="dropdown-panel">{children}</div>
    </details>
  )
}
