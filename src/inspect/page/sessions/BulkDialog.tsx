/** The frame of a question about many sessions. */
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"

interface Props {
  readonly title: string
  readonly children: ComponentChildren
  readonly onLeave: () => void
}

export const BulkDialog = ({ children, onLeave, title }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} class="keys bulk-dialog" aria-label={title} onClose={onLeave}>
      <h2>{title}</h2>
      {children}
    </dialog>
  )
}
