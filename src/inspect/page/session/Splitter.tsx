/**
 * The border between two panes. A drag moves it, and so do the arrow keys; a double click takes it back to where it usually
 * is, and Enter folds its pane.
 */
import { boundsOf, folded, panes, resize, toggleFold } from "./panes.ts"
import type { PaneName, SizedPane } from "./panes.ts"

const keyStep = 0.02

interface Props {
  readonly pane: SizedPane
  /** The id of the pane that it sizes. */
  readonly controls: string
  readonly label: string
}

export const Splitter = ({ controls, label, pane }: Props) => {
  const { least, most, usual } = boundsOf[pane]
  const share = panes.value[pane]
  /** The chart lies at the left, the time at the bottom. */
  const isUpright = pane === "chart"
  const [less, more] = isUpright ? ["ArrowLeft", "ArrowRight"] : ["ArrowDown", "ArrowUp"]
  const follow = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement
    if (!handle.hasPointerCapture(event.pointerId)) return
    const around = handle.parentElement?.getBoundingClientRect()
    if (around === undefined) return
    const at = isUpright
      ? (event.clientX - around.left) / around.width
      : (around.bottom - event.clientY) / around.height
    resize(pane, at)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === less) resize(pane, share - keyStep)
    else if (event.key === more) resize(pane, share + keyStep)
    else if (event.key === "Home") resize(pane, least)
    else if (event.key === "End") resize(pane, most)
    else if (event.key === "Enter") toggleFold(pane)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div
      class={`splitter splitter-${pane}`}
      role="separator"
      tabIndex={0}
      aria-orientation={isUpright ? "vertical" : "horizontal"}
      aria-label={label}
      aria-controls={controls}
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={Math.round(least * 100)}
      aria-valuemax={Math.round(most * 100)}
      title="Drag it, or move it by the arrow keys; a double click resets it"
      onPointerDown={(event) => {
        if (event.button !== 0) return
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
        event.currentTarget.focus()
      }}
      onPointerMove={follow}
      onDblClick={() => resize(pane, usual)}
      onKeyDown={press}
    />
  )
}

export const FoldButton = ({
  controls,
  name,
  pane
}: Pick<Props, "controls"> & { readonly name: string; readonly pane: PaneName }) => {
  const isFolded = folded.value.includes(pane)
  return (
    <button
      type="button"
      class={`icon-button fold-button${isFolded ? " is-folded" : ""}`}
      aria-expanded={!isFolded}
      aria-controls={controls}
      aria-label={`${isFolded ? "Unfold" : "Fold"} ${name}`}
      title={`${isFolded ? "Unfold" : "Fold"} ${name}`}
      onClick={() => toggleFold(pane)}
    >
      {isFolded ? "▸" : "▾"}
    </button>
  )
}
